using JepaSharp.Kernels;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Kernels;

/// <summary>What a step does between its stacks of blocks, against libtorch's operators and their own differentiation.</summary>
public sealed class BetweenBlocksTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(203)]
    public void Norm_ForwardAndBackward_AgreeWithLibtorch(int rows)
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using var norm = new LayerNormalization("norm", 48, CPU);
        using (no_grad())
        {
            _ = norm.Weight.copy_(Waves(48).Add(1.5));
            _ = norm.Bias.copy_(Waves(48).cos());
        }

        var (x, outward) = (Waves(rows, 48).Multiply(3).requires_grad_(), Waves(rows, 48).cos());
        var expected = norm.forward(x);
        expected.backward([outward]);
        Tensor[] gradients = [x.grad!.clone(), norm.Weight.grad!.clone(), norm.Bias.grad!.clone()];
        foreach (var gradient in (Tensor[])[x.grad!, norm.Weight.grad!, norm.Bias.grad!]) _ = gradient.detach().zero_();

        using var kernel = norm.Kernel = new AcceleratedNorm(norm, trained: true);
        using var tape = GradientTape.Start();
        var actual = norm.forward(x);
        tape.Backward(actual, outward.clone(), mark: 0);
        AssertClose("output", expected, actual, 1e-5);
        AssertClose("input", gradients[0], x.grad!, 1e-4);
        AssertClose("scale", gradients[1], norm.Weight.grad!, 1e-5);
        AssertClose("shift", gradients[2], norm.Bias.grad!, 1e-5);
        using (no_grad())
        {
            var chosen = tensor([rows - 1L, 0, 0, rows / 2]);
            AssertClose("chosen", expected.index_select(0, chosen), norm.Choose(x, chosen), 1e-5);
            AssertClose("plain", nn.functional.layer_norm(x, [48], eps: 1e-5), AcceleratedDistance.Normalize(x, 1e-5), 1e-5);
        }
    }

    [Fact]
    public void Statistics_OfARow_DoNotDependOnItsNeighbours()
    {
        KernelFact.NeedsSingles();
        unsafe
        {
            var rows = Enumerable.Range(0, 4 * 80).Select(i => (float)Math.Sin(i * i)).ToArray();
            var both = stackalloc float[8];
            fixed (float* first = rows)
            {
                LayerNormKernel.Statistics(first, first + 80, first + 160, first + 240, 80, 1e-6f, both);
                for (var r = 0; r < 4; r++) Assert.Equal((both[2 * r], both[(2 * r) + 1]), LayerNormKernel.Statistics(first + (80 * r), 80, 1e-6f));
            }
        }
    }

    [Fact]
    public void Softmax_OfARow_DoesNotDependOnItsNeighbours()
    {
        KernelFact.NeedsSingles();
        const int Count = 37, Padded = 64;
        float[] Scores(int first, int rows) => [.. Enumerable.Range(first * Padded, rows * Padded).Select(i => (float)Math.Sin(i * i) * 9)];
        unsafe float[] Softmax(float[] scores, int rows)
        {
            var result = new float[scores.Length];
            fixed (float* from = scores, to = result) SoftmaxKernel.Apply<Single32>(from, rows, Count, Padded, 0.3f, (byte*)to);
            return result;
        }

        var together = Softmax(Scores(0, 6), 6);
        for (var r = 0; r < 6; r++)
        {
            var alone = Softmax(Scores(r, 1), 1);
            Assert.Equal(together[(r * Padded)..((r + 1) * Padded)], alone);
            Assert.Equal(1, alone.Sum(), 1e-5);
            Assert.All(alone[Count..], p => Assert.Equal(0, p));
        }
    }

    [Fact]
    public void Queries_ForTwoSetsAndContexts_AgreeWithLibtorch()
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        const int Images = 3, Contexts = 2, Known = 5, Width = 32;
        using var asked = new PatchSelection([[0, 3, 8, 7, 2, 1], [4, 4, 5, 6, 0, 8]], Images, 9, CPU);
        var mask = new Parameter(Waves(1, 1, Width));
        var positions = Waves(9, Width).cos();
        var contexts = Waves(Contexts * Images, Known, Width).requires_grad_();
        var outward = Waves(2 * Contexts * Images, Known + 2, Width).cos();

        var queries = mask.Add(positions.index_select(0, asked.Patches).view(2, 1, Images, 2, Width)).expand(2, Contexts, Images, 2, Width);
        var expected =
            cat([contexts.view(1, Contexts, Images, Known, Width).expand(2, Contexts, Images, Known, Width), queries], dim: 3).view(outward.shape);
        expected.backward([outward]);
        Tensor[] gradients = [contexts.grad!.clone(), mask.grad!.clone()];
        foreach (var gradient in (Tensor[])[contexts.grad!, mask.grad!]) _ = gradient.detach().zero_();

        using var kernel = new AcceleratedQueries(mask, trained: true);
        using var tape = GradientTape.Start();
        var actual = kernel.Forward(contexts, positions, asked);
        tape.Backward(actual, outward.clone(), mark: 0);
        AssertClose("tokens", expected, actual, 0);
        AssertClose("contexts", gradients[0], contexts.grad!, 1e-6);
        AssertClose("mask token", gradients[1], mask.grad!, 1e-5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Distance_AndItsGradient_AgreeWithLibtorch(bool smooth)
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        var (predictions, targets) = (Waves(7, 11, 131).Multiply(2).requires_grad_(), Waves(7, 11, 131).cos());
        var expected =
            (smooth ? nn.functional.smooth_l1_loss(predictions, targets, beta: 1) : nn.functional.mse_loss(predictions, targets)).Multiply(0.25);
        expected.backward();
        var wanted = predictions.grad!.clone();
        _ = predictions.grad!.detach().zero_();
        using var tape = GradientTape.Start(isReadAtOnce: true);
        Assert.True(AcceleratedDistance.CanRecord(predictions, targets));
        var found = AcceleratedDistance.Record(predictions, targets, smooth).Multiply(0.25);
        tape.Backward(found, mark: 0);
        Assert.Equal(expected.item<float>(), found.item<double>(), 1e-6);
        AssertClose("gradient", wanted, predictions.grad!, 1e-6);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public void Distance_OfWhatIsNoNumber_IsNone(int place)
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        var predictions = zeros(1, 1, 21);
        predictions[0, 0, place] = float.NaN;
        predictions.requires_grad = true;
        using var tape = GradientTape.Start(isReadAtOnce: true);
        var value = AcceleratedDistance.Record(predictions, zeros(1, 1, 21), smooth: true);
        tape.Backward(value, mark: 0);
        Assert.True(double.IsNaN(value.item<double>()));
        Assert.True(float.IsNaN(predictions.grad![0, 0, place].item<float>()));
    }

    /// <summary>Images as a decoder leaves them (channels last), as a network is usually given them, and as neither.</summary>
    [Theory]
    [InlineData("channels last", true)]
    [InlineData("channels first", false)]
    [InlineData("lines last", true)]
    public void Patches_ReadWhereTheyLie_GiveTheTokensAndGradientsOfPatchesPutTogether(string order, bool some)
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using var embedding = new PatchEmbedding("embedding", channels: 3, patch: 4, width: 32, CPU);
        using (no_grad())
        {
            foreach (var parameter in embedding.parameters()) _ = parameter.copy_(Waves(parameter.shape));
        }

        // 5 images of 3 x 2 patches.
        var images = order switch
        {
            "channels last" => Waves(5, 12, 8, 3).permute(0, 3, 1, 2),
            "lines last" => Waves(5, 3, 8, 12).permute(0, 1, 3, 2),
            _ => Waves(5, 3, 12, 8),
        };
        var positions = Waves(1, 6, 32).cos();
        using var chosen = new PatchSelection([[5, 0, 1, 1, 2, 4, 3, 2, 0, 5], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]], 5, 6, CPU);
        Tensor Tokens() => some ? embedding.Tokens(images, positions, chosen) : embedding.Tokens(images, positions);

        var expected = Tokens();
        var outward = Waves(expected.shape).cos();
        expected.backward([outward]);
        var gradients = embedding.parameters().Select(p => p.grad!.clone()).ToArray();
        foreach (var parameter in embedding.parameters()) _ = parameter.grad!.zero_();

        using var kernel = embedding.Projection.Kernel = new AcceleratedDense(embedding.Projection, ScalarType.Float32, trained: true);
        using var tape = GradientTape.Start();
        var actual = Tokens();
        // Whoever drew the patches may be done with them before gradients come.
        chosen.Dispose();
        tape.Backward(actual, outward.clone(), mark: 0);
        AssertClose("tokens", expected, actual, 1e-5);
        foreach (var (before, now) in gradients.Zip(embedding.parameters())) AssertClose("parameter", before, now.grad!, 1e-5);
    }

    [Fact]
    public unsafe void Memory_OfATensorLongerThanASpan_IsFound()
    {
        using var large = empty(3, 200_000_000); // 2.4 GB, of which nothing is touched
        using var last = large.view(-1).narrow(0, 599_999_999, 1);
        Assert.True(TensorMemory.Floats(large) + 599_999_999 == TensorMemory.Floats(last));
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 0.02)]
    public void Dense_WithRowsToAdd_AddsThoseThatAreChosenOrOneAfterTheOther(ScalarType precision, double tolerance)
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var dense = new Dense("dense", [48, 64], CPU);
        _ = dense.Weight.copy_(Waves(48, 64));
        _ = dense.Bias.copy_(Waves(48));
        using var kernel = dense.Kernel = new AcceleratedDense(dense, precision, trained: false);
        var (x, table) = (Waves(5, 20, 64), Waves(20, 48).cos());
        var plain = nn.functional.linear(x, dense.Weight, dense.Bias);
        AssertClose("in turn", plain.Add(table), dense.ForwardPlus(x, table)!, tolerance);
        var chosen = (arange(100) * 7) % 20;
        AssertClose("chosen", plain.Add(table.index_select(0, chosen).view(5, 20, 48)), dense.ForwardPlus(x, table, chosen)!, tolerance);
    }

    [Fact]
    public void Gradients_OfAViewUsedTwice_AddUp()
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using var tape = GradientTape.Start();
        var x = Waves(4, 6).requires_grad_();
        var cut = tape.Cut(tape.Cut(x).view(6, 4));
        var mark = tape.Mark;
        for (var i = 1; i <= 3; i++) tape.Backward(tape.Cut(cut.view(24)), full([24], i), mark);
        tape.Backward(0);
        Assert.Equal(Enumerable.Repeat(6f, 24), x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void Encoder_OnImagesOfAnotherSize_AgreesWithLibtorch()
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var encoder = Encoder();
        var images = Waves(2, 3, 48, 32);
        var expected = encoder.forward(images);
        encoder.ComputeIn(ScalarType.Float32);
        AssertClose("features", expected, encoder.forward(images), 1e-4);
    }

    [Fact]
    public void Encoder_AskedForPatchesOfAnotherGrid_Refuses()
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder();
        encoder.ComputeIn(ScalarType.Float32);
        using var larger = new PatchSelection([[1, 2, 3, 4]], images: 2, patchesPerImage: 36, CPU);
        _ = Assert.Throws<ArgumentException>(() => encoder.Encode(Waves(2, 3, 48, 48), larger));
        using var fitting = new PatchSelection([[1, 2, 3, 4]], images: 2, patchesPerImage: 16, CPU);
        string Refused(params long[] shape)
        {
            var images = Waves(shape);
            _ = Assert.Throws<ArgumentException>(() => encoder.EncodeWhole(images, fitting));
            return Assert.Throws<ArgumentException>(() => encoder.Encode(images, fitting)).Message;
        }

        Assert.StartsWith("Images of 9 patches for patches of a grid of 16.", Refused(2, 3, 24, 24), StringComparison.Ordinal);
        Assert.StartsWith("1 images for patches of 2.", Refused(1, 3, 32, 32), StringComparison.Ordinal);
    }

    private static VisionTransformer Encoder()
    {
        var encoder = new VisionTransformer(
            new VisionTransformerShape { ImageHeight = 32, ImageWidth = 32, PatchSize = 8, Width = 32, Depth = 2, Heads = 2, MlpWidth = 64 });
        Initialization.Initialize(encoder, 1, 0);
        return encoder;
    }

    private static void AssertClose(string name, Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var (difference, largest) = (expected.Subtract(actual).abs().max().item<float>(), expected.abs().max().item<float>());
        Assert.True(difference <= tolerance * largest, $"{name} differs by {difference:g3} of {largest:g3}");
    }

    private static Tensor Waves(params long[] shape) =>
        arange(shape.Aggregate(1L, (a, b) => a * b), dtype: float32).mul(0.7.ToScalar()).sin().reshape(shape);
}
