using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Models;

public sealed class InitializationTests
{
    [Fact]
    public void TruncatedNormal_WideBounds_HasTheAskedDeviation()
    {
        using var scope = NewDisposeScope();
        var drawn = empty(200_000);
        Initialization.TruncatedNormal_(drawn, 0.02, 2, key: 7);
        Assert.Equal(0, drawn.mean().item<float>(), 2e-4f);
        Assert.Equal(0.02f, drawn.std().item<float>(), 2e-4f);
        Assert.True(drawn.abs().max().item<float>() > 0.06f);
    }

    [Fact]
    public void TruncatedNormal_NarrowBounds_StaysInsideWithTheRightSpread()
    {
        using var scope = NewDisposeScope();
        var drawn = empty(200_000);
        Initialization.TruncatedNormal_(drawn, 1, 1, key: 7);
        Assert.True(drawn.abs().max().item<float>() <= 1);
        // Deviation of a standard normal truncated at ±1: √(1 - 2 φ(1) / (2Φ(1) - 1)).
        Assert.Equal(0.5396f, drawn.std().item<float>(), 3e-3f);
    }

    [Fact]
    public void Initialize_SameSeed_GivesTheSameWeightsAndAnotherSeedOthers()
    {
        using var scope = NewDisposeScope();
        var shape = ModelPresets.Encoder("vit_tiny", 32, 8) with { Depth = 1 };
        float[] Drawn(ulong seed)
        {
            using var encoder = new VisionTransformer(shape);
            Initialization.Initialize(encoder, seed, stream: 0);
            Assert.Equal(0, encoder.state_dict()["blocks.0.attn.qkv.bias"].abs().max().item<float>());
            Assert.Equal(1, encoder.state_dict()["norm.weight"].min().item<float>());
            return encoder.state_dict()["blocks.0.mlp.fc2.weight"].data<float>().ToArray();
        }

        Assert.Equal(Drawn(1), Drawn(1));
        Assert.NotEqual(Drawn(1), Drawn(2));
    }

    [Fact]
    public void Initialize_OfDeepBlocks_IsNotRescaled()
    {
        using var scope = NewDisposeScope();
        using var encoder = new VisionTransformer(ModelPresets.Encoder("vit_tiny", 32, 8));
        Initialization.Initialize(encoder, seed: 1, stream: 0);
        var weights = encoder.state_dict();
        foreach (var name in (string[])["attn.proj", "mlp.fc2", "attn.qkv"])
        {
            // Divided by the root of twice the depth, the last block's would have a deviation of 0.004.
            foreach (var block in (int[])[0, 11]) Assert.Equal(0.02f, weights[$"blocks.{block}.{name}.weight"].std().item<float>(), 1e-3f);
            Assert.Equal(0, weights[$"blocks.11.{name}.bias"].abs().max().item<float>());
        }
    }
}
