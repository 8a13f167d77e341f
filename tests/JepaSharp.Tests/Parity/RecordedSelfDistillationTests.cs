using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>DINO and iBOT against runs recorded from the published code (float32, CPU), with learned and frozen lengths, shared and separate
/// heads.</summary>
public sealed class RecordedSelfDistillationTests(ITestOutputHelper output)
{
    private static readonly string[] Names = ["dino", "ibot"];

    public static IEnumerable<TheoryDataRow<string>> Runs => RecordedFolders.Of(Names);

    public static IEnumerable<TheoryDataRow<string>> Dinos => RecordedFolders.Of(["dino"]);

    public static IEnumerable<TheoryDataRow<string>> Ibots => RecordedFolders.Of(["ibot"]);

    public static IEnumerable<TheoryDataRow<string>> WithFeatures => RecordedFolders.Of(["dino"], "features.safetensors");

    [Theory]
    [MemberData(nameof(Dinos))]
    public void Forward_OfDinosFirstStep_MatchesRecorded(string name)
    {
        using var run = new RecordedSelfDistillation(name);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var batch = run.Batch(0);
        var dino = run.Dino;
        var student = cat([.. dino.Views.Select(v => dino.Student.EncodeClass(batch[v.Name]))]);
        var teacher = dino.Encoder.EncodeClass(batch["global"]);
        AssertClose("student features", student, run.Expected("student_features"));
        AssertClose("teacher features", teacher, run.Expected("teacher_features"));
        AssertClose("student output", dino.StudentHead.forward(student), run.Expected("student_output"));
        AssertClose("teacher output", dino.TeacherHead.forward(teacher), run.Expected("teacher_output"));
    }

    [Theory]
    [MemberData(nameof(Ibots))]
    public void Forward_OfIbotsFirstStep_MatchesRecorded(string name)
    {
        using var run = new RecordedSelfDistillation(name);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var batch = run.Batch(0);
        using var masks = HiddenViews.Of(run.Masks(0), CPU);
        var ibot = run.Ibot;
        var student = ibot.Student.EncodeMasked(batch["global"], masks.Hidden, ibot.Mask.Value);
        var teacher = ibot.Encoder.forward(batch["global"]);
        AssertClose("student tokens", student, run.Expected("student_tokens"));
        AssertClose("teacher tokens", teacher, run.Expected("teacher_tokens"));
        foreach (var (who, head, tokens) in ((string, ProjectionHead, Tensor)[])[
            ("student", ibot.StudentHead, student), ("teacher", ibot.TeacherHead, teacher)])
        {
            AssertClose($"{who} class", head.forward(tokens.select(1, 0)), run.Expected($"{who}_cls"));
            AssertClose($"{who} patches", head.OfPatches(tokens[.., 1..]), run.Expected($"{who}_patch"));
        }

        if (run.HasLocal)
            AssertClose("small views", ibot.StudentHead.forward(ibot.Student.EncodeClass(batch["local"])), run.Expected("student_local_cls"));
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Gradients_FirstStep_MatchRecorded(string name)
    {
        using var run = new RecordedSelfDistillation(name);
        using var scope = NewDisposeScope();
        using var batch = run.Batch(0);
        using var pending = run.Step.Begin([batch]);
        var (worst, compared) = (0.0, 0);
        foreach (var network in run.Step.State.Trained)
        {
            foreach (var (parameter, shape, start) in network.Parameters.Layout)
            {
                var recorded = RecordedSelfDistillation.NameOf(network.Network.Name, parameter);
                var found = FlatParameters.ViewOf(network.Parameters.Gradients!, start, shape);
                if (!run.Holds($"grad.{recorded}"))
                {
                    Assert.EndsWith("weight_g", recorded, StringComparison.Ordinal); // frozen: none at all
                    Assert.Equal(0, found.abs().max().item<float>());
                    continue;
                }

                var (_, relative) = RecordedRun.Difference(
                    RecordedSelfDistillation.Determined(recorded, found),
                    RecordedSelfDistillation.Determined(recorded, run.Expected($"grad.{recorded}")));
                Assert.True(relative < 1e-4, $"gradient of {recorded} differs by {relative} of its largest entry");
                (worst, compared) = (Math.Max(worst, relative), compared + 1);
            }
        }

        Assert.True(compared > 30);
        output.WriteLine($"largest relative difference {worst:g3}, of {compared} parameters");
    }

    /// <summary>Losses, rates, temperatures, centres, and in the end all weights.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void Trajectory_AllSteps_MatchesRecorded(string name)
    {
        using var run = new RecordedSelfDistillation(name);
        using var scope = NewDisposeScope();
        double loss = 0, center = 0, weight = 0;
        for (var step = 0; step < run.Steps.Count; step++)
        {
            using var batch = run.Batch(step);
            var (result, expected) = (run.Step.Run(batch), run.Steps[step]);
            double Number(string key) => expected.GetProperty(key).GetDouble();
            Assert.Equal(Number("learning_rate"), result.LearningRate, 1e-12);
            Assert.Equal(Number("weight_decay"), result.WeightDecay, 1e-12);
            Assert.Equal(Number("ema_momentum"), result.Momentum, 1e-12);
            loss = Math.Max(loss, Math.Abs(Number("loss") - result.Loss));
            if (run.IsIbot)
            {
                loss = Math.Max(loss, Math.Abs(Number("loss_cls") - (run.Option("lambda1") * result.Numbers["class_loss"])));
                loss = Math.Max(loss, Math.Abs(Number("loss_patch") - (run.Option("lambda2") * result.Numbers["patch_loss"])));
            }

            foreach (var state in run.Objective.State)
                center = Math.Max(center, RecordedRun.Difference(state.Value, run.Expected($"{state.Name}.{step}")).Absolute);
        }

        foreach (var (network, inner, tensor) in run.Weights())
        {
            var recorded = RecordedSelfDistillation.NameOf(network, inner);
            var wanted = RecordedSelfDistillation.Determined(recorded, run.Expected($"final.{recorded}"));
            var (difference, _) = RecordedRun.Difference(RecordedSelfDistillation.Determined(recorded, tensor), wanted);
            Assert.True(difference < 1e-5, $"final {recorded} differs by {difference}");
            weight = Math.Max(weight, difference);
        }

        output.WriteLine($"largest differences: loss {loss:g3}, centre {center:g3}, final weight {weight:g3}");
        Assert.True(loss < 1e-4 && center < 1e-6, $"loss {loss}, centre {center}");
    }

    /// <summary>Of the whole schedule, also of steps that were not taken.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void Schedules_OfTheRun_AreTheRecordedOnes(string name)
    {
        using var run = new RecordedSelfDistillation(name);
        double[] Of(string key, string within = "") =>
            [.. (within.Length > 0 ? run.Facts.GetProperty(within) : run.Facts).GetProperty(key).EnumerateArray().Select(v => v.GetDouble())];
        var (rates, decays, momenta) = (Of("learning_rate", "schedules"), Of("weight_decay", "schedules"), Of("ema_momentum", "schedules"));
        for (var i = 0; i < rates.Length; i++)
        {
            Assert.Equal(rates[i], run.Schedules.LearningRate(i + 1), 1e-12);
            Assert.Equal(decays[i], run.Schedules.WeightDecay(i + 1), 1e-12);
            Assert.Equal(momenta[i], run.Schedules.Momentum(i + 1), 1e-12);
        }

        Compare(Of("teacher_temperature_by_epoch"), run.IsIbot ? run.Ibot.Options.Temperature : run.Dino.Options.Temperature);
        if (run.IsIbot) Compare(Of("teacher_patch_temperature_by_epoch"), run.Ibot.Options.PatchTemperature);

        static void Compare(double[] recorded, TemperatureSchedule schedule)
        {
            for (var epoch = 0; epoch < recorded.Length; epoch++) Assert.Equal(recorded[epoch], schedule.At(epoch), 1e-12);
        }
    }

    /// <summary>A frozen last layer takes no step at all: neither its weights nor its moments move, while the teacher's follow.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void LastLayer_WhileItIsFrozen_TakesNoStep(string name)
    {
        using var run = new RecordedSelfDistillation(name);
        using var scope = NewDisposeScope();
        var head = run.Step.State["student_head"];
        foreach (var (step, index) in run.Steps.Select((s, i) => (s, i)))
        {
            var before = Directions();
            using var batch = run.Batch(index);
            _ = run.Step.Run(batch);
            var isFrozen = step.GetProperty("last_layer_frozen").GetBoolean();
            Assert.Equal(isFrozen, Of(head.Optimizer!.SecondMoment).max().item<float>() == 0);
            if (isFrozen) Assert.True(before.Equals(Directions()));
        }

        Tensor Directions() => Of(head.Parameters.Values).clone();
        Tensor Of(Tensor flat)
        {
            var (_, shape, start) = head.Parameters.Layout.Single(p => p.Name == "last_layer.weight_v");
            return FlatParameters.ViewOf(flat, start, shape);
        }
    }

    /// <summary>The products are in bfloat16; softmax, logarithms, centres and weights are not.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void Bfloat16_FirstSteps_StayCloseToRecorded(string name)
    {
        using var run = new RecordedSelfDistillation(name, ScalarType.BFloat16);
        for (var step = 0; step < 3; step++)
        {
            using var batch = run.Batch(step);
            var (loss, expected) = (run.Step.Run(batch).Loss, run.Steps[step].GetProperty("loss").GetDouble());
            output.WriteLine($"step {step}: bfloat16 {loss:f6}, recorded float32 {expected:f6}");
            Assert.Equal(1, loss / expected, 0.02);
        }
    }

    [Theory]
    [MemberData(nameof(WithFeatures))]
    public void Features_OfTheFinalTeacher_MatchRecordedAtBothSizes(string name)
    {
        using var run = new RecordedSelfDistillation(name);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var features = SafetensorsFile.Open(RecordedFolders.PathOf(name, "features.safetensors"));
        run.LoadFinal();
        var encoder = run.Dino.Encoder;
        var images = features.Read("pixel_values");
        AssertClose("tokens", encoder.forward(images), features.Read("tokens"));
        AssertClose("class token", encoder.EncodeClass(images), features.Read("class_token"));
        AssertClose("tokens of larger images", encoder.forward(features.Read("pixel_values_larger")), features.Read("tokens_larger"));
    }

    private void AssertClose(string what, Tensor actual, Tensor expected)
    {
        var (absolute, _) = RecordedRun.Difference(actual, expected);
        output.WriteLine($"{what}: largest absolute difference {absolute:g3}");
        Assert.True(absolute < 1e-5, $"{what} differs by {absolute}");
    }
}
