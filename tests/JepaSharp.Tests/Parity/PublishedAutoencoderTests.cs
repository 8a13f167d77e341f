using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>MAE's published forms of files against what the published code and transformers made of the same weights (float32, CPU).</summary>
public sealed class PublishedAutoencoderTests(ITestOutputHelper output) : IDisposable
{
    private const string Name = "mae";
    private readonly TemporaryFolder _folder = new();

    public static IEnumerable<TheoryDataRow<string, string>> Files =>
        RecordedFolders.Of([Name], "hf", _ => (string[])["checkpoint.pth", "encoder.pth"]);

    public static IEnumerable<TheoryDataRow<string>> Runs => RecordedFolders.Of([Name], "hf");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Runs))]
    public void Checkpoint_OfATraining_HoldsBothNetworks_AndItsArgumentsArePassedOver(string run)
    {
        using var weights = Open(run, "checkpoint.pth");
        Assert.Equal(["encoder", "decoder"], weights.Present);
        Assert.Equal(("mae", "encoder"), (weights.Objective, weights.Evaluated));
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
        Assert.True(weights.Architecture.ClassToken);
        Assert.Equal((4, 4), (weights.Architecture.GridHeight, weights.Architecture.GridWidth));
        Assert.Equal(new PixelDecoderShape(16, 2, 0), weights.DecoderArchitecture);
        Assert.Equal(4, weights.Epoch);
        Assert.Equal("encoder", weights.TitleOf("encoder"));
        using var expected = SafetensorsFile.Open(RecordedFolders.PathOf(run, "expected.safetensors"));
        foreach (var (name, tensor) in weights.Tensors)
        {
            var final = "final." + name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];
            if (!expected.Tensors.ContainsKey(final)) continue;
            using var read = tensor.Read();
            using var recorded = expected.Read(final);
            Assert.True(read.Equals(recorded), name);
        }
    }

    /// <summary>The optimizer's state in the file is what ours comes to in the same steps.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void Optimizer_OfACheckpoint_IsThatOfTheRunThatItEnds(string run)
    {
        using var scope = NewDisposeScope();
        using var weights = Open(run, "checkpoint.pth");
        using var recorded = new RecordedAutoencoder(run);
        for (var i = 0; i < recorded.Iterations.Count; i++) recorded.Run(i);
        Assert.Equal(recorded.Iterations.Count, weights.Optimizer!.Step);
        var compared = 0;
        foreach (var network in recorded.Step.State.Trained)
        {
            foreach (var (name, shape, start) in network.Parameters.Layout)
            {
                if (recorded.Undetermined(name) is not null) continue;
                var theirs = weights.Optimizer.Moments[$"{network.Network.Name}.{name}"];
                AssertSame(FlatParameters.ViewOf(network.Optimizer!.FirstMoment, start, shape), theirs.First);
                AssertSame(FlatParameters.ViewOf(network.Optimizer.SecondMoment, start, shape), theirs.Second);
                compared++;
            }
        }

        Assert.Equal(56, compared);

        static void AssertSame(Tensor ours, LazyTensor theirs) => Assert.True(RecordedRun.Difference(ours, theirs.Read()).Relative < 1e-4);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void EncoderFile_OfAnEncoderAlone_IsOneEncoderWithAClassToken(string run)
    {
        using var weights = Open(run, "encoder.pth");
        Assert.Equal(["encoder"], weights.Present);
        Assert.Equal(["encoder"], weights.Networks);
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
        Assert.True(weights.Architecture.ClassToken);
        Assert.Null(weights.DecoderArchitecture);
    }

    /// <summary>The evaluation models see all patches in image order, at the training's size and at another.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Features_OfPublishedFiles_AreTheRecordedOnes(string run, string file)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var weights = Open(run, file);
        using var encoder = PretrainedNetworks.LoadEncoder(weights);
        using var expected = SafetensorsFile.Open(RecordedFolders.PathOf(run, "features.safetensors"));
        foreach (var size in (string[])["", "_larger"])
        {
            var images = expected.Read("pixel_values" + size);
            AssertClose("tokens" + size, encoder.forward(images));
            AssertClose("class_token" + size, new EncoderOutput().Of(encoder, images));
            var patches = expected.Read("tokens" + size)[.., 1..];
            Assert.True(new EncoderOutput { AveragesPatches = true }.Of(encoder, images).allclose(patches.mean([1]), atol: 1e-5));
            Assert.True(new EncoderOutput(Pooled: false).Of(encoder, images).allclose(patches, atol: 1e-5));
        }

        void AssertClose(string what, Tensor actual)
        {
            var (absolute, _) = RecordedRun.Difference(actual, expected.Read(what));
            output.WriteLine($"{what}: largest absolute difference {absolute:g3}");
            Assert.True(absolute < 1e-5, $"{what} differs by {absolute}");
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void HuggingFaceFolder_OfTheInitialWeights_GuessesWhatIsRecorded(string run)
    {
        using var weights = PretrainedWeights.Open(RecordedFolders.PathOf(run, "hf"));
        Assert.Equal(WeightsFormat.HuggingFace, weights.Format);
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
        Assert.Equal(3, weights.Encoder.Heads);
        Assert.Equal(new PixelDecoderShape(16, 2, 4), weights.DecoderArchitecture);
        Assert.True(weights.NormalizesPatches);
        AssertGuessesAreRecorded(run, weights);
    }

    [Theory]
    [InlineData("huggingface")]
    [InlineData("safetensors")]
    [Trait(RecordedFolders.Trait, Name)]
    public void Export_OfBothNetworks_ReadsBackBitForBit(string form)
    {
        _ = SharedFolder.Require("parity/mae/hf");
        var path = _folder[form == "huggingface" ? "folder" : "both.safetensors"];
        using var weights = PretrainedWeights.Open(RecordedFolders.PathOf(Name, "hf"));
        var written = form == "huggingface"
            ? WeightsExport.ToHuggingFace(weights, null, PixelNormalization.ImageNet, path)
            : WeightsExport.ToSafetensors(weights, null, PixelNormalization.ImageNet, path);
        Assert.Equal(["encoder", "decoder"], written);
        using var back = PretrainedWeights.Open(path);
        Assert.True(back.Report.IsClean, back.Report.ToString());
        Assert.Equal(weights.Encoder, back.Encoder);
        Assert.Equal((weights.DecoderArchitecture, true, "mae"), (back.DecoderArchitecture, back.NormalizesPatches, back.Objective));
        Assert.Equal(weights.Tensors.Keys.Order(), back.Tensors.Keys.Order());
        foreach (var name in weights.Tensors.Keys)
        {
            using var theirs = weights.Read(name);
            using var ours = back.Read(name);
            Assert.True(theirs.Equals(ours), name);
        }

        if (form != "huggingface") return;
        using var original = SafetensorsFile.Open(Path.Combine(RecordedFolders.PathOf(Name, "hf"), "model.safetensors"));
        using var again = SafetensorsFile.Open(Path.Combine(path, "model.safetensors"));
        Assert.Equal(original.Tensors.Keys.Order(), again.Tensors.Keys.Order());
        AssertGuessesAreRecorded(Name, back);
    }

    [Fact]
    [Trait(RecordedFolders.Trait, Name)]
    public void Export_OfTheEncoderAlone_IsAViTMaeModelThatMasksNothing()
    {
        _ = SharedFolder.Require("parity/mae/encoder.pth");
        using var weights = Open(Name, "encoder.pth");
        WeightsExport.ToHuggingFace(weights, null, PixelNormalization.ImageNet, _folder["alone"]);
        var config = File.ReadAllText(Path.Combine(_folder["alone"], "config.json"));
        Assert.Contains("\"ViTMAEModel\"", config, StringComparison.Ordinal);
        Assert.Contains("\"mask_ratio\": 0.0,", config, StringComparison.Ordinal);
        using var back = PretrainedWeights.Open(_folder["alone"]);
        Assert.Equal(["encoder"], back.Present);
        Assert.Equal(weights.Encoder, back.Encoder);
    }

    private static void AssertGuessesAreRecorded(string run, PretrainedWeights weights)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var recorded = new RecordedAutoencoder(run);
        using var masks = AutoencoderMasks.Of(recorded.Masks(0), CPU);
        foreach (var network in recorded.Objective.Networks)
        {
            foreach (var (name, tensor) in network.Module.state_dict()) weights.ReadInto($"{network.Name}.{name}", tensor);
        }

        var latent = recorded.Objective.Encoder.Encode(recorded.Images(0), masks.Kept);
        var guessed = recorded.Objective.Decoder.PredictInOrder(latent, masks.Kept, masks.Removed);
        Assert.True(RecordedRun.Difference(guessed, recorded.Expected("pred")).Absolute < 1e-5);
    }

    private static PretrainedWeights Open(string run, string file) => PretrainedWeights.Open(
        RecordedFolders.PathOf(run, file), RecordedFolders.FactsOf(run).GetProperty("num_heads").GetInt32());
}
