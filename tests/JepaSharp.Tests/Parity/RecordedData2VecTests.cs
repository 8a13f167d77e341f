using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using JepaSharp.Optimization;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>data2vec against runs recorded from the published implementation (float32, CPU).</summary>
public sealed class RecordedData2VecTests(ITestOutputHelper output)
{
    private const string Name = "data2vec";

    public static IEnumerable<TheoryDataRow<string>> Runs => RecordedFolders.Of([Name]);

    [Theory]
    [MemberData(nameof(Runs))]
    public void Forward_FirstStep_MatchesRecorded(string name)
    {
        using var run = new RecordedData2Vec(name);
        if (!run.Holds("targets")) return; // the run with a kept index holds what is special to it
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var masks = run.Masks(0);
        var (images, options) = (run.Images(0), run.Objective.Options);
        var branch = options.Target == JepaSharp.Configuration.Data2VecTarget.Branch;
        foreach (var (block, tokens) in options.TargetBlocks.Zip(run.Objective.Teacher.BlockOutputs(images, options.TargetBlocks, branch)))
            AssertClose($"teacher_layer.{block}", tokens.narrow(1, 1, tokens.shape[1] - 1));
        AssertClose("targets", run.Objective.Targets(images, masks));
        AssertClose("student_tokens", run.Objective.Student.EncodeMasked(images, masks.Masked));
        AssertClose("student_output", run.Objective.Predict(images, masks));

        void AssertClose(string what, Tensor actual)
        {
            var (absolute, _) = RecordedRun.Difference(actual, run.Expected(what));
            output.WriteLine($"{what}: largest absolute difference {absolute:g3}");
            Assert.True(absolute < 1e-5, $"{what} differs by {absolute}");
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Gradients_FirstStep_MatchRecorded(string name)
    {
        using var run = new RecordedData2Vec(name);
        if (!run.Holds("grad.student.cls_token")) return;
        using var scope = NewDisposeScope();
        using var masks = run.Masks(0);
        var images = run.Images(0);
        run.Objective.Distance(run.Objective.Predict(images, masks), run.Objective.Targets(images, masks)).backward();
        var (worst, compared) = (0.0, 0);
        foreach (var network in run.Step.State.Trained)
        {
            foreach (var (parameter, shape, start) in network.Parameters.Layout)
            {
                var published = network.Network.Name == "lm_head" ? $"lm_head.{parameter}" : parameter;
                var found = FlatParameters.ViewOf(network.Parameters.Gradients!, start, shape);
                var (_, relative) = RecordedRun.Difference(found, run.Expected($"grad.student.{published}"));
                Assert.True(relative < 1e-4, $"gradient of {published} differs by {relative} of its largest entry");
                (worst, compared) = (Math.Max(worst, relative), compared + 1);
            }
        }

        Assert.True(compared > 40);
        output.WriteLine($"largest relative difference {worst:g3}, of {compared} parameters");
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Trajectory_AllSteps_MatchesRecorded(string name)
    {
        using var run = new RecordedData2Vec(name);
        using var scope = NewDisposeScope();
        var (worstLoss, worstNorm, worstWeight, worstTarget, compared) = (0.0, 0.0, 0.0, 0.0, 0);
        foreach (var step in run.Facts.GetProperty("steps").EnumerateArray())
        {
            var iteration = step.GetProperty("step").GetInt32();
            using (var masks = run.Masks(iteration))
            {
                Assert.Equal(step.GetProperty("masked_patches").EnumerateArray().Select(m => m.GetInt32()), masks.ByImage.Select(m => m.Length));
                if (run.Holds($"targets_mean_square.{iteration}"))
                {
                    var squares = run.Objective.Targets(run.Images(iteration), masks).square().mean([0L]);
                    worstTarget = Math.Max(
                        worstTarget, RecordedRun.Difference(squares, run.Expected($"targets_mean_square.{iteration}")).Absolute);
                }
            }

            var result = run.Run(iteration);
            worstLoss = Math.Max(worstLoss, Math.Abs(result.Loss - step.GetProperty("loss").GetDouble()));
            var norm = step.GetProperty("gradient_norm").GetDouble();
            worstNorm = Math.Max(worstNorm, Math.Abs(result.GradientNorm - norm) / norm);
            Assert.Equal(step.GetProperty("learning_rate").GetDouble(), result.LearningRate, 1e-12);
            Assert.Equal(step.GetProperty("weight_decay").GetDouble(), result.WeightDecay, 1e-12);
        }

        foreach (var (weight, tensor) in run.Weights())
        {
            var (absolute, _) = RecordedRun.Difference(tensor, run.Expected($"final.{weight}"));
            (worstWeight, compared) = (Math.Max(worstWeight, absolute), compared + 1);
            Assert.True(absolute < 1e-5, $"final {weight} differs by {absolute}");
        }

        output.WriteLine($"largest differences: loss {worstLoss:g3}, gradient norm {worstNorm:g3} (relative), targets {worstTarget:g3}, "
            + $"final weight {worstWeight:g3} of {compared}");
        Assert.True(worstLoss < 1e-5, $"a loss differs by {worstLoss}");
        Assert.True(worstNorm < 1e-4, $"a gradient norm differs by {worstNorm} of it");
        Assert.True(worstTarget < 1e-5, $"targets differ by {worstTarget}");
        Assert.True(compared > 80);
        if (run.Objective.Student.Relative is null) return;
        // Every place that the published average has lowered, and no other.
        Assert.Equal(
            run.Expected("final.teacher.rel_pos_bias.relative_position_index").flatten().data<long>(),
            run.Objective.Teacher.Relative!.Places.data<long>());
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Schedules_OfTheRun_AreTheRecordedOnes(string name)
    {
        using var run = new RecordedData2Vec(name);
        var recorded = run.Facts.GetProperty("schedules");
        foreach (var (rate, i) in recorded.GetProperty("learning_rate").EnumerateArray().Select((r, i) => (r.GetDouble(), i)))
            Assert.Equal(rate, run.Schedules.LearningRate(i + 1), 1e-12);
        foreach (var (decay, i) in recorded.GetProperty("weight_decay").EnumerateArray().Select((d, i) => (d.GetDouble(), i)))
            Assert.Equal(decay, run.Schedules.WeightDecay(i + 1), 1e-12);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Decay_IsThatOfThePublishedGroups(string name)
    {
        using var run = new RecordedData2Vec(name);
        var groups = run.Facts.GetProperty("optimizer").GetProperty("groups").EnumerateArray().ToList();
        var decayed = groups.Where(g => g.GetProperty("weight_decay").GetDouble() > 0)
            .SelectMany(g => g.GetProperty("parameters").EnumerateArray().Select(p => p.GetString()!)).Order(StringComparer.Ordinal);
        var ours = run.Objective.Networks.Where(n => n.Follows is null).SelectMany(n => n.Module.named_parameters()
            .Where(p => n.Decays?.Invoke(p.name) ?? !WeightNames.IsUndecayed(p.name, (int)p.parameter.dim()))
            .Select(p => n.Name == "lm_head" ? $"lm_head.{p.name}" : p.name)).Order(StringComparer.Ordinal);
        Assert.Equal(decayed, ours);
    }

    /// <summary>The student after the run, on images of its size and larger: evaluation as published.</summary>
    [Fact]
    [Trait(RecordedFolders.Trait, Name)]
    public void Features_AreTheRecordedOnes_AlsoOnALargerGrid()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var recorded = SafetensorsFile.Open(SharedFolder.Require("parity/data2vec/features.safetensors"));
        using var weights = PretrainedWeights.Open(SharedFolder.Require("parity/data2vec/checkpoint.pth"), heads: 3);
        using var encoder = PretrainedNetworks.LoadEncoder(weights);
        var images = recorded.Read("pixel_values");
        AssertClose("tokens", encoder.forward(images));
        AssertClose("class_token", encoder.EncodeClass(images));
        foreach (var (tokens, block) in encoder.BlockOutputs(images, [0, 1, 2]).Select((t, b) => (t, b))) AssertClose($"block.{block}", tokens);
        AssertClose("relative_position_bias_table_larger", RelativeTableResizing.Resize(encoder.Relative!.Table, (4, 4), (5, 5)), 1e-6);
        AssertClose("mean_pooled", new EncoderOutput().Of(encoder, images));
        AssertClose("class_token", new EncoderOutput { TakesClassToken = true }.Of(encoder, images));
        AssertClose("mean_pooled_larger", new EncoderOutput { AveragesPatches = true }.Of(encoder, recorded.Read("pixel_values_larger")));
        AssertClose("class_token_larger", encoder.EncodeClass(recorded.Read("pixel_values_larger")));

        void AssertClose(string what, Tensor actual, double bound = 1e-5)
        {
            var (absolute, _) = RecordedRun.Difference(actual, recorded.Read(what));
            output.WriteLine($"{what}: largest absolute difference {absolute:g3}");
            Assert.True(absolute < bound, $"{what} differs by {absolute}");
        }
    }
}
