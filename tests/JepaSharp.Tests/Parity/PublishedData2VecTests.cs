using JepaSharp.Models;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>data2vec's published kinds of files, read and written: the training program's checkpoint, and Hugging Face's folder.</summary>
[Trait(RecordedFolders.Trait, "data2vec")]
public sealed class PublishedData2VecTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string Checkpoint => SharedFolder.Require("parity/data2vec/checkpoint.pth");

    private static string HuggingFace => SharedFolder.Require("parity/data2vec/hf");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Checkpoint_OfTheProgram_IsReadWhole_TeacherIncluded()
    {
        using var scope = NewDisposeScope();
        using var weights = PretrainedWeights.Open(Checkpoint);
        using var expected = SafetensorsFile.Open(SharedFolder.Require("parity/data2vec/expected.safetensors"));
        Assert.Equal(("data2vec", "student", 4L), (weights.Objective, weights.Evaluated, weights.Epoch));
        Assert.Equal(["student", "lm_head", "teacher"], weights.Present);
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
        Assert.Equal(
            (3, 24, 3, 8, 32, true, true, false, true, true, false), (weights.Architecture.Heads, weights.Architecture.Width,
                weights.Architecture.Depth, weights.Architecture.PatchSize, weights.Architecture.ImageHeight, weights.Architecture.ClassToken,
                weights.Architecture.RelativePositions, weights.Architecture.AbsolutePositions, weights.Architecture.LayerScale,
                weights.Architecture.MaskToken, weights.Architecture.KeyBias));
        foreach (var name in weights.Tensors.Keys)
        {
            var published = name.StartsWith("lm_head.", StringComparison.Ordinal) ? $"student.{name}" : name;
            Assert.True(weights.Read(name).equal(expected.Read($"final.{published}")).all().item<bool>(), name);
        }
    }

    [Fact]
    public void Folder_OfHuggingFace_IsTheStudent_AndIsWrittenAsItWasRead()
    {
        using var scope = NewDisposeScope();
        using var theirs = PretrainedWeights.Open(HuggingFace);
        using var student = PretrainedWeights.Open(Checkpoint);
        Assert.True(theirs.Report.IsClean, theirs.Report.ToString());
        Assert.Empty(theirs.Warnings);
        Assert.Equal(student.Architecture, theirs.Architecture);
        foreach (var (name, lazy) in theirs.Network(theirs.Evaluated))
            Assert.True(lazy.Read().equal(student.Read($"student.{name}")).all().item<bool>(), name);

        var written = _folder["folder"];
        Assert.Equal(["student"], WeightsExport.ToHuggingFace(student, null, PixelNormalization.ImageNet, written));
        using var original = SafetensorsFile.Open(Path.Combine(HuggingFace, "model.safetensors"));
        using var ours = SafetensorsFile.Open(Path.Combine(written, "model.safetensors"));
        Assert.Equal(original.Tensors.Keys.Order(StringComparer.Ordinal), ours.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach (var name in original.Tensors.Keys) Assert.True(original.Read(name).equal(ours.Read(name)).all().item<bool>(), name);
        var config = File.ReadAllText(Path.Combine(written, "config.json"));
        foreach (var said in (string[])[
            "\"model_type\": \"data2vec-vision\"", "\"use_shared_relative_position_bias\": true", "\"use_mask_token\": true",
            "\"use_absolute_position_embeddings\": false", "\"layer_norm_eps\": 1E-06"])
            Assert.Contains(said, config);
        using var again = PretrainedWeights.Open(written);
        Assert.Equal(student.Architecture, again.Architecture);
    }

    [Fact]
    public void Export_ToSafetensors_KeepsAllThreeNetworks()
    {
        using var scope = NewDisposeScope();
        using var weights = PretrainedWeights.Open(Checkpoint);
        var path = _folder["all.safetensors"];
        Assert.Equal(["student", "lm_head", "teacher"], WeightsExport.ToSafetensors(weights, null, PixelNormalization.ImageNet, path));
        using var again = PretrainedWeights.Open(path);
        Assert.Equal((weights.Objective, weights.Evaluated), (again.Objective, again.Evaluated));
        Assert.Equal(weights.Architecture, again.Architecture);
        Assert.Equal(weights.Tensors.Keys, again.Tensors.Keys);
        foreach (var name in weights.Tensors.Keys) Assert.True(weights.Read(name).equal(again.Read(name)).all().item<bool>(), name);
    }

    /// <summary>BEiT's own files have the same names and a head that ends in a vocabulary: an encoder, and no data2vec.</summary>
    [Fact]
    public void Beit_IsAnEncoderAlone()
    {
        using var scope = NewDisposeScope();
        using var encoder = new VisionTransformer(new VisionTransformerShape
        {
            ImageHeight = 16,
            ImageWidth = 16,
            PatchSize = 8,
            Width = 16,
            Depth = 1,
            Heads = 2,
            MlpWidth = 16,
            ClassToken = true,
            KeyBias = false,
            AbsolutePositions = false,
            RelativePositions = true,
            LayerScale = true,
            MaskToken = true,
        });
        Initialization.Initialize(encoder, 1, 0);
        var path = _folder["beit.safetensors"];
        SafetensorsWriter.Write(path,
        [
            .. encoder.state_dict().Select(w => KeyValuePair.Create(w.Key, LazyTensor.Of(w.Value))),
            KeyValuePair.Create("lm_head.weight", LazyTensor.Of(zeros(50, 16))), KeyValuePair.Create("lm_head.bias", LazyTensor.Of(zeros(50))),
        ]);
        using var weights = PretrainedWeights.Open(path);
        Assert.Equal((null, "encoder", true), (weights.Objective, weights.Evaluated, weights.Architecture.RelativePositions));
        Assert.Equal(["lm_head.bias", "lm_head.weight"], weights.Report.Unknown.Select(n => n.Replace("encoder.", "")).Order(StringComparer.Ordinal));
    }
}
