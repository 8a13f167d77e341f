using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Kernels;

/// <summary>What BEiT's blocks have beside the usual, on the kernels against libtorch's operators.</summary>
public sealed class MaskedModelKernelTests
{
    /// <summary>Heads of 16 and of 6 numbers; all tokens, and of each image some or none.</summary>
    [Theory]
    [InlineData(2, false, true, true, true)]
    [InlineData(2, true, true, true, true)]
    [InlineData(8, true, true, true, true)]
    [InlineData(2, true, true, false, false)]
    [InlineData(2, true, false, true, false)]
    [InlineData(2, true, false, false, true)]
    [InlineData(2, true, true, true, true, true)]
    public void Gradients_WithAndWithoutKernels_Agree(
        int heads, bool some, bool relative, bool scaled, bool withoutKeyBias, bool checkpoint = false)
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        var shape = Shape(heads, relative, scaled, !withoutKeyBias);
        using var plain = Started(shape);
        using var served = Started(shape);
        var use = new KernelUse(ScalarType.Float32, Trained: true, WeightsChange: true, checkpoint);
        using var attached = AttachedKernels.To(served, use);
        Assert.Empty(attached.Missing);
        var images = Waves(3, 3, 32, 24);
        var masked = Waves(3, 12).gt(tensor(0.3f));
        int[][] chosen = [[1, 4, 11], [], [.. Enumerable.Range(0, 12)]];
        Tensor Loss(VisionTransformer network) =>
            (some ? network.EncodeMasked(images, masked, chosen) : network.EncodeMasked(images, masked))
                .mul(Waves(shape.Width).cos()).square().mean();

        for (var step = 0; step < 2; step++)
        {
            var expected = Loss(plain);
            expected.backward();
            using (var tape = GradientTape.Start())
            {
                var actual = Loss(served);
                tape.Backward(actual, mark: 0);
                AssertNear("loss", expected, actual, 1e-5);
            }

            foreach (var ((name, theirs), (_, ours)) in plain.named_parameters().Zip(served.named_parameters()))
                AssertNear($"{name}, pass {step + 1}", theirs.grad!, ours.grad!, 2e-4);
            // Gradients add up, and what is made of the weights follows them.
            using var untracked = no_grad();
            foreach (var (theirs, ours) in plain.parameters().Zip(served.parameters()))
            {
                _ = theirs.Add_(theirs.grad!.Multiply(-0.5));
                _ = ours.Add_(ours.grad!.Multiply(-0.5));
            }

            attached.Refresh();
        }

        using (no_grad())
        {
            AssertNear("inferred", plain.forward(images), served.forward(images), 1e-4);
            // Another grid's positions are none that the kernels have.
            AssertNear("larger", plain.forward(Waves(2, 3, 40, 32)), served.forward(Waves(2, 3, 40, 32)), 1e-4);
            foreach (var (theirs, ours) in plain.BlockOutputs(images, [0, 1]).Zip(served.BlockOutputs(images, [0, 1])))
                AssertNear("blocks", theirs, ours, 1e-4);
        }
    }

    [Fact]
    public void BFloat16_IsNearFloat32()
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var encoder = Started(Shape(2, relative: true, scaled: true, keyBias: false));
        var images = Waves(2, 3, 32, 24);
        var expected = encoder.forward(images);
        encoder.ComputeIn(ScalarType.BFloat16);
        AssertNear("tokens", expected, encoder.forward(images), 0.03);
    }

    private static VisionTransformerShape Shape(int heads, bool relative, bool scaled, bool keyBias) => new()
    {
        ImageHeight = 32,
        ImageWidth = 24,
        PatchSize = 8,
        Width = heads == 8 ? 48 : 32,
        Depth = 2,
        Heads = heads,
        MlpWidth = 64,
        ClassToken = true,
        MaskToken = true,
        AbsolutePositions = !relative,
        RelativePositions = relative,
        LayerScale = scaled,
        KeyBias = keyBias,
    };

    private static VisionTransformer Started(VisionTransformerShape shape)
    {
        var network = new VisionTransformer(shape);
        Initialization.Initialize(network, 3, 0);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        // Everything counts: nothing is zero, positions are strong.
        foreach (var (name, parameter) in network.named_parameters())
            _ = parameter.Add_(Waves([.. parameter.shape]).Multiply(name.StartsWith("rel_pos", StringComparison.Ordinal) ? 1 : 0.2));
        return network;
    }

    private static void AssertNear(string what, Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var (difference, largest) = (expected.Subtract(actual).abs().max().item<float>(), expected.abs().max().item<float>());
        Assert.True(difference <= tolerance * Math.Max(1e-3, largest), $"{what} differs by {difference:g3} of {largest:g3}");
    }

    private static Tensor Waves(params long[] shape) =>
        arange(shape.Aggregate(1L, (a, b) => a * b), dtype: float32).Multiply(0.7).sin().reshape(shape);
}
