using JepaSharp.Models;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Weights;

/// <summary>Encoders with a class token under their plain names, as MAE, DINO and ViT are published.</summary>
public sealed class ClassTokenWeightsTests : IDisposable
{
    private static readonly VisionTransformerShape Shape = new()
    {
        ImageHeight = 32,
        ImageWidth = 32,
        PatchSize = 8,
        Width = 192,
        Depth = 2,
        Heads = 3,
        MlpWidth = 64,
        ClassToken = true,
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LoneEncoder_WithAClassToken_IsReadAsOne()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var encoder = Write(("head.weight", [10, 192]));
        using var weights = PretrainedWeights.Open(_folder["x.safetensors"]);
        Assert.Equal(Shape, weights.Encoder);
        Assert.Equal(["encoder"], weights.Networks);
        Assert.Equal(["encoder.head.weight"], weights.Report.Unknown);
        using var loaded = PretrainedNetworks.LoadEncoder(weights);
        var images = rand(2, 3, 32, 32);
        Assert.True(encoder.forward(images).Equals(loaded.forward(images)));
    }

    [Theory]
    [InlineData("blocks.1.ls1.gamma")]
    [InlineData("register_tokens")]
    [InlineData("norm_pre.weight")]
    public void Encoder_WithWeightsOfAnotherArchitecture_IsRefusedByTheirNames(string name)
    {
        using var scope = NewDisposeScope();
        using var encoder = Write((name, [192]));
        var error = Assert.Throws<WeightsFileException>(() => PretrainedWeights.Open(_folder["x.safetensors"]));
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains("plain Vision Transformer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encoder_WithoutAGridBehindItsClassToken_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var encoder = new VisionTransformer(Shape with { ImageWidth = 40 });
        XavierInitialization.Initialize(encoder, 0, 0);
        SafetensorsWriter.Write(_folder["y.safetensors"], [.. encoder.state_dict()], new Dictionary<string, string>());
        var error = Assert.Throws<WeightsFileException>(() => PretrainedWeights.Open(_folder["y.safetensors"]));
        Assert.Contains("20 positions, which are not a square grid", error.Message, StringComparison.Ordinal);
    }

    private VisionTransformer Write((string Name, long[] Shape) beside)
    {
        var encoder = new VisionTransformer(Shape);
        XavierInitialization.Initialize(encoder, 0, 0);
        SafetensorsWriter.Write(
            _folder["x.safetensors"], [.. encoder.state_dict(), KeyValuePair.Create(beside.Name, ones(beside.Shape))],
            new Dictionary<string, string>());
        return encoder;
    }
}
