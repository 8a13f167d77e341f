using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Optimization;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>MSN's published form of files against what the published code made of the same weights (float32, CPU).</summary>
public sealed class PublishedMaskedSiameseTests(ITestOutputHelper output) : IDisposable
{
    private const string Name = "msn";
    private readonly TemporaryFolder _folder = new();

    public static IEnumerable<TheoryDataRow<string>> Runs => RecordedFolders.Of([Name], "checkpoint.pth.tar");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Runs))]
    public void Checkpoint_OfATraining_HoldsEncodersHeadsAndPrototypes(string run)
    {
        using var weights = Open(run);
        Assert.Equal(["encoder", "head", "prototypes", "target_encoder", "target_head"], weights.Present);
        Assert.Equal(("msn", "target_encoder"), (weights.Objective, weights.Evaluated));
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
        Assert.Equal((true, true), (weights.Architecture.ClassToken, weights.Architecture.LearnedPositions));
        Assert.Equal(4, weights.Epoch);
        using var recorded = new RecordedMaskedSiamese(run);
        recorded.LoadFinal();
        foreach (var network in recorded.Objective.Networks)
        {
            foreach (var (name, tensor) in network.Module.state_dict())
            {
                using var read = weights.Read($"{network.Name}.{name}");
                Assert.True(read.Equals(tensor), $"{network.Name}.{name}");
            }
        }
    }

    /// <summary>The optimizer's state in the file is what ours comes to in the same steps.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void Optimizer_OfACheckpoint_IsThatOfTheRunThatItEnds(string run)
    {
        using var scope = NewDisposeScope();
        using var weights = Open(run);
        using var recorded = new RecordedMaskedSiamese(run);
        for (var k = 0; k < recorded.Steps.Count; k++)
        {
            using var batch = recorded.Batch(k);
            recorded.Step.Run(batch);
        }

        Assert.Equal(recorded.Steps.Count, weights.Optimizer!.Step);
        var (compared, worst) = (0, 0.0);
        foreach (var network in recorded.Step.State.Trained)
        {
            foreach (var (name, shape, start) in network.Parameters.Layout)
            {
                var called = RecordedMaskedSiamese.NameOf(network.Network.Name, name);
                if (RecordedMaskedSiamese.IsUndetermined(called)) continue;
                var theirs = weights.Optimizer.Moments[$"{network.Network.Name}.{name}"];
                Compare(called, FlatParameters.ViewOf(network.Optimizer!.FirstMoment, start, shape), theirs.First);
                Compare(called, FlatParameters.ViewOf(network.Optimizer.SecondMoment, start, shape), theirs.Second);
                compared++;
            }
        }

        output.WriteLine($"{compared} parameters, largest relative difference {worst:g3}");
        Assert.Equal(38, compared);

        void Compare(string called, Tensor ours, LazyTensor theirs)
        {
            var (found, expected) = (RecordedLeJepa.Determined(called, ours), RecordedLeJepa.Determined(called, theirs.Read()));
            worst = Math.Max(worst, RecordedRun.Difference(found, expected).Relative);
            Assert.True(worst < 2e-4, $"{called} differs by {worst}");
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Features_OfThePublishedFile_AreTheRecordedOnes(string run)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var weights = Open(run);
        using var encoder = PretrainedNetworks.LoadEncoder(weights);
        using var expected = SafetensorsFile.Open(RecordedFolders.PathOf(run, "features.safetensors"));
        foreach (var size in (string[])["", "_larger"])
            AssertClose("class_token" + size, new EncoderOutput().Of(encoder, expected.Read("pixel_values" + size)));
        AssertClose("class_tokens_last2_before_norm", new EncoderOutput(2) { IsUnnormed = true }.Of(encoder, expected.Read("pixel_values")));

        void AssertClose(string what, Tensor actual)
        {
            var (absolute, _) = RecordedRun.Difference(actual, expected.Read(what));
            output.WriteLine($"{what}: largest absolute difference {absolute:g3}");
            Assert.True(absolute < 1e-5, $"{what} differs by {absolute}");
        }
    }

    /// <summary>A run that begins with the file has all of its networks; one that begins with the target encoder alone copies it.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void Weights_OfThePublishedFile_BeginARun(string run)
    {
        using var recorded = new RecordedMaskedSiamese(run);
        using (var weights = Open(run))
        {
            var said = StartingWeights.Apply(weights, recorded.Step.State);
            Assert.Contains("prototypes: found", said);
            Assert.Contains("encoder and target encoder: found", said);
            Assert.Contains(said, line => line.StartsWith("optimizer's state: found", StringComparison.Ordinal));
            WeightsExport.ToSafetensors(weights, "target_encoder", PixelNormalization.ImageNet, _folder["alone.safetensors"]);
        }

        using var final = new RecordedMaskedSiamese(run);
        final.LoadFinal();
        foreach (var ((name, found), (_, expected)) in recorded.Weights().Zip(final.Weights())) Assert.True(found.Equals(expected), name);
        using var alone = PretrainedWeights.Open(_folder["alone.safetensors"]);
        Assert.Contains(StartingWeights.Apply(alone, recorded.Step.State), line => line.Contains("starts as a copy", StringComparison.Ordinal));
        var average = final.Weights().Where(w => w.Name.StartsWith("target_encoder.", StringComparison.Ordinal))
            .ToDictionary(w => w.Name, w => w.Value);
        foreach (var (name, found) in recorded.Weights().Where(w => !w.Name.Contains(".fc.", StringComparison.Ordinal)))
            if (average.TryGetValue("target_" + name, out var expected)) Assert.True(found.Equals(expected), name);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Export_ReadsBackBitForBit(string run)
    {
        using var weights = Open(run);
        Assert.Equal(weights.Present, WeightsExport.ToSafetensors(weights, null, PixelNormalization.ImageNet, _folder["all.safetensors"]));
        using (var back = PretrainedWeights.Open(_folder["all.safetensors"])) AssertSame(back, name => name, weights.Tensors.Keys);
        Assert.Equal(["target_encoder"], WeightsExport.ToHuggingFace(weights, null, PixelNormalization.ImageNet, _folder["hf"]));
        var config = File.ReadAllText(Path.Combine(_folder["hf"], "config.json"));
        Assert.Contains("\"ViTMSNModel\"", config, StringComparison.Ordinal);
        Assert.Contains("\"model_type\": \"vit_msn\"", config, StringComparison.Ordinal);
        Assert.DoesNotContain("mask_ratio", config, StringComparison.Ordinal);
        using var folder = PretrainedWeights.Open(_folder["hf"]);
        Assert.Equal((WeightsFormat.HuggingFace, "msn", weights.Encoder), (folder.Format, folder.Objective, folder.Encoder));
        AssertSame(folder, name => "target_" + name, folder.Tensors.Keys);
        Assert.Equal(["encoder"], WeightsExport.ToHuggingFace(folder, null, PixelNormalization.ImageNet, _folder["again"]));

        void AssertSame(PretrainedWeights back, Func<string, string> original, IEnumerable<string> names)
        {
            Assert.True(back.Report.IsClean, back.Report.ToString());
            foreach (var name in names)
            {
                using var ours = back.Read(name);
                using var theirs = weights.Read(original(name));
                Assert.True(ours.Equals(theirs), name);
            }
        }
    }

    private static PretrainedWeights Open(string run) => PretrainedWeights.Open(
        RecordedFolders.PathOf(run, "checkpoint.pth.tar"), RecordedFolders.FactsOf(run).GetProperty("num_heads").GetInt32());
}
