using System.Text.Json;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>MSN against runs recorded from the published program: as published, and with masked views alone and no balancing.</summary>
public sealed class RecordedMaskedSiameseTests(ITestOutputHelper output)
{
    private const int FirstSteps = 3;

    public static IEnumerable<TheoryDataRow<string>> Runs => RecordedFolders.Of(["msn"]);

    public static IEnumerable<TheoryDataRow<string>> WithFeatures => RecordedFolders.Of(["msn"], "features.safetensors");

    public static IEnumerable<TheoryDataRow<string>> WithLosses => RecordedFolders.Of(["msn"], "losses.json");

    [Theory]
    [MemberData(nameof(Runs))]
    public void Forward_FirstStep_MatchesRecorded(string name)
    {
        using var run = new RecordedMaskedSiamese(name);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var batch = run.Batch(0);
        var (siamese, step) = (run.Objective, Step.Untracked(0));
        var features = siamese.Features(batch, step);
        AssertClose("anchors' class tokens", MaskedSiamese.Anchors(features, tokens => tokens), run.Expected("anchor_features"), 1e-5);
        AssertClose("targets' class tokens", MaskedSiamese.Targets(features, tokens => tokens), run.Expected("target_features"), 1e-5);
        var anchors = MaskedSiamese.Anchors(features, siamese.Head.forward);
        var targets = MaskedSiamese.Targets(features, siamese.TargetHead.forward);
        AssertClose("anchors", anchors, run.Expected("anchors"), 1e-5);
        AssertClose("targets", targets, run.Expected("targets"), 1e-5);
        var shares = siamese.Options.Loss.Targets(targets, siamese.Prototypes.Weight, siamese.Options.StartSharpening);
        AssertClose("assignments", shares.repeat(siamese.Options.Anchors, 1), run.Expected("target_assignments"), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Gradients_FirstStep_MatchRecorded(string name)
    {
        using var run = new RecordedMaskedSiamese(name);
        using var scope = NewDisposeScope();
        using var batch = run.Batch(0);
        using var pending = run.Step.Begin([batch]);
        double worst = 0, rounding = 0;
        foreach (var network in run.Step.State.Trained)
        {
            foreach (var (parameter, shape, start) in network.Parameters.Layout)
            {
                var recorded = RecordedMaskedSiamese.NameOf(network.Network.Name, parameter);
                var (found, expected) = (FlatParameters.ViewOf(network.Parameters.Gradients!, start, shape), run.Expected($"grad.{recorded}"));
                if (RecordedMaskedSiamese.IsUndetermined(recorded))
                {
                    var (absolute, _) = RecordedRun.Difference(found, expected);
                    Assert.True(absolute < 1e-5, $"gradient of {recorded}, which is rounding, differs by {absolute}");
                    rounding = Math.Max(rounding, absolute);
                    continue;
                }

                var (_, relative) = RecordedRun.Difference(RecordedLeJepa.Determined(recorded, found), RecordedLeJepa.Determined(recorded, expected));
                Assert.True(relative < 1e-4, $"gradient of {recorded} differs by {relative} of its largest entry");
                worst = Math.Max(worst, relative);
            }
        }

        output.WriteLine($"largest relative difference {worst:g3}; of what is rounding, absolute {rounding:g3}");
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Trajectory_AllSteps_MatchesRecorded(string name)
    {
        using var run = new RecordedMaskedSiamese(name);
        using var scope = NewDisposeScope();
        double loss = 0, norm = 0, weight = 0, variance = 0;
        foreach (var (recorded, k) in run.Steps.Select((s, k) => (s, k)))
        {
            double Of(string key) => recorded.GetProperty(key).GetDouble();
            using var batch = run.Batch(k);
            using var pending = run.Step.Begin([batch]);
            // Of encoder and head together: what is clipped.
            var clipped = Math.Sqrt(run.Step.State.Trained.Where(n => n.Network.IsClipped).Sum(n => n.Parameters.SquaredGradientNorm()));
            norm = Math.Max(norm, Math.Abs((clipped / Of("gradient_norm")) - 1));
            run.Step.Apply(pending);
            var result = run.Step.Finish(pending);
            Assert.Equal(Of("learning_rate"), result.LearningRate, 1e-12);
            Assert.Equal(Of("weight_decay"), result.WeightDecay, 1e-12);
            Assert.Equal(Of("ema_momentum"), result.Momentum, 1e-12);
            Assert.Equal(Of("sharpen"), run.Objective.Options.SharpeningAt(run.Schedules.Progress(k + 1)), 1e-12);
            Assert.Equal(Of("prototypes_used"), result.Numbers["prototypes_used"]);
            foreach (var (theirs, found) in ((string, double)[])[
                ("loss", result.Loss), ("loss_msn", result.Numbers["cross_entropy"]), ("loss_memax", result.Numbers["mean_entropy"]),
                ("loss_entropy", result.Numbers["entropy"]), ("largest_target", result.Numbers["largest_target"])])
                loss = Math.Max(loss, Math.Abs(Of(theirs) - found));
        }

        foreach (var (recorded, tensor) in run.Weights().Where(w => !RecordedMaskedSiamese.IsUndetermined(w.Name)))
        {
            var wanted = RecordedLeJepa.Determined(recorded, run.Expected($"final.{recorded}"));
            weight = Math.Max(weight, RecordedRun.Difference(RecordedLeJepa.Determined(recorded, tensor), wanted).Absolute);
        }

        foreach (var (recorded, tensor) in run.Running().Where(r => !RecordedMaskedSiamese.IsUndetermined(r.Name)))
            variance = Math.Max(variance, RecordedRun.Difference(tensor, run.Expected($"final.{recorded}")).Absolute);

        output.WriteLine(
            $"largest differences: losses {loss:g3}, gradient norm {norm:g3} of it, final weight {weight:g3}, running variance {variance:g3}");
        Assert.True(loss < 1e-4 && norm < 1e-4 && weight < 2e-5 && variance < 2e-5);
    }

    /// <summary>Where a device clips and decides, the steps are the same.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void Trajectory_RunAhead_MatchesRecorded(string name)
    {
        using var run = new RecordedMaskedSiamese(name, isAhead: true);
        foreach (var (recorded, k) in run.Steps.Select((s, k) => (s, k)))
        {
            using var batch = run.Batch(k);
            Assert.Equal(recorded.GetProperty("loss").GetDouble(), run.Step.Run(batch).Loss, 1e-4);
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Schedules_OfTheWholeRun_AreTheRecordedOnes(string name)
    {
        using var run = new RecordedMaskedSiamese(name);
        foreach (var (key, of) in ((string, Func<long, double>)[])[
            ("learning_rate", run.Schedules.LearningRate), ("weight_decay", run.Schedules.WeightDecay), ("ema_momentum", run.Schedules.Momentum),
            ("sharpen", step => run.Objective.Options.SharpeningAt(run.Schedules.Progress(step)))])
        {
            var step = 0L;
            foreach (var value in run.Facts.GetProperty("schedules").GetProperty(key).EnumerateArray())
                Assert.Equal(value.GetDouble(), of(++step), 1e-12);
            Assert.True(step > 0);
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Bfloat16_FirstSteps_StayCloseToRecorded(string name)
    {
        using var run = new RecordedMaskedSiamese(name, ScalarType.BFloat16);
        for (var step = 0; step < FirstSteps; step++)
        {
            using var batch = run.Batch(step);
            var (loss, recorded) = (run.Step.Run(batch).Loss, run.Steps[step].GetProperty("loss").GetDouble());
            output.WriteLine($"step {step}: bfloat16 {loss:f5}, recorded float32 {recorded:f5}");
            Assert.Equal(1, loss / recorded, 0.05);
        }
    }

    /// <summary>The loss alone, over its switches: three views of five images.</summary>
    [Theory]
    [MemberData(nameof(WithLosses))]
    public void Loss_OverItsSwitches_MatchesRecordedWithItsGradients(string name)
    {
        using var recorded = SafetensorsFile.Open(RecordedFolders.PathOf(name, "losses.safetensors"));
        double worst = 0;
        foreach (var facts in JsonDocument.Parse(File.ReadAllText(RecordedFolders.PathOf(name, "losses.json"))).RootElement.EnumerateArray())
        {
            using var scope = NewDisposeScope();
            double Number(string key) => facts.GetProperty(key).GetDouble();
            bool Is(string key) => facts.GetProperty(key).GetBoolean();
            var loss = RecordedMaskedSiamese.LossOf(Number("temperature"), Number("label_smoothing"), Is("use_sinkhorn")) with
            {
                MeanEntropyWeight = Is("me_max") ? 1 : 0,
                EntropyWeight = Is("use_ent") ? 1 : 0,
            };
            var (anchors, prototypes) = (recorded.Read("anchors").requires_grad_(), recorded.Read("prototypes").requires_grad_());
            var targets = loss.Targets(recorded.Read("targets"), prototypes, Number("sharpen"));
            var terms = loss.Terms(anchors, prototypes, targets);
            loss.Sum(terms).backward();
            var label = $"case{facts.GetProperty("case").GetInt32()}";
            Close(label, targets.repeat((long)Number("views"), 1), recorded.Read($"{label}.target_assignments"));
            Close(label, anchors.grad!, recorded.Read($"{label}.grad.anchors"));
            Close(label, prototypes.grad!, recorded.Read($"{label}.grad.prototypes"));
            Assert.Equal(Number("loss_msn"), terms.CrossEntropy.item<float>(), 1e-5);
            if (Is("me_max")) Assert.Equal(Number("loss_memax"), terms.MeanEntropy.item<float>(), 1e-5);
            if (Is("use_ent")) Assert.Equal(Number("loss_entropy"), terms.Entropy.item<float>(), 1e-5);
        }

        output.WriteLine($"largest relative difference of targets and gradients {worst:g3}");

        void Close(string label, Tensor found, Tensor expected)
        {
            worst = Math.Max(worst, RecordedRun.Difference(found, expected).Relative);
            Assert.True(worst < 1e-5, $"{label} differs by {worst} of its largest entry");
        }
    }

    [Theory]
    [MemberData(nameof(WithFeatures))]
    public void Features_OfTheFinalWeights_MatchRecordedAtBothSizes(string name)
    {
        using var run = new RecordedMaskedSiamese(name);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var features = SafetensorsFile.Open(RecordedFolders.PathOf(name, "features.safetensors"));
        run.LoadFinal();
        var encoder = run.Objective.Encoder;
        AssertClose("projected", run.Objective.Project(features.Read("pixel_values")), features.Read("projected"), 1e-5);
        foreach (var size in (string[])["", "_larger"])
            AssertClose("class token" + size, encoder.EncodeClass(features.Read("pixel_values" + size)), features.Read("class_token" + size), 1e-5);
    }

    private void AssertClose(string what, Tensor actual, Tensor expected, double tolerance)
    {
        var (absolute, _) = RecordedRun.Difference(actual, expected);
        output.WriteLine($"{what}: largest absolute difference {absolute:g3}");
        Assert.True(absolute < tolerance, $"{what} differs by {absolute}");
    }
}
