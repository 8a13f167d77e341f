using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Tests.Kernels;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Models;

/// <summary>Kernels hung onto networks from outside: ours, with and without a class token, and such as somebody else writes.</summary>
public sealed class AttachedKernelsTests
{
    /// <summary>Patches of a 4 x 4 grid and of 7 x 7 (50 tokens with the class token), 64 with one (65), heads of 16, 24 and 4.</summary>
    [Theory]
    [InlineData(32, 32, 2, false, false)]
    [InlineData(32, 32, 2, true, false)]
    [InlineData(56, 48, 2, true, true)]
    [InlineData(64, 48, 12, true, true)]
    [InlineData(32, 32, 8, false, true)]
    public void Encoder_OnKernels_GivesTheNumbersAndGradientsOfLibtorch(int side, int width, int heads, bool classToken, bool learned)
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        VisionTransformer Encoder() => Started(new VisionTransformer(new VisionTransformerShape
        {
            ImageHeight = side,
            ImageWidth = side,
            PatchSize = 8,
            Width = width,
            Depth = 2,
            Heads = heads,
            MlpWidth = 2 * width,
            ClassToken = classToken,
            LearnedPositions = learned,
        }));
        var images = Waves(2, 3, side, side);
        var patches = side / 8 * (side / 8);
        using var chosen = new PatchSelection([[1, 3, 5, 0, 2, patches - 1], [4, 5, 6, 7, 8, 9]], 2, patches, CPU);
        Compare(Encoder, encoder =>
            encoder.forward(images).sin().sum().Add(encoder.Encode(images, chosen).cos().sum()).Add(
                encoder.EncodeWhole(images, chosen).square().sum()));
    }

    [Fact]
    public void NetworkOfSomebodyElse_OnKernels_GivesTheNumbersAndGradientsOfLibtorch()
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        var latent = Waves(3, 17, 48);
        Compare(
            () => Started(new PixelDecoder(encoderWidth: 48, width: 80, heads: 2, pixels: 75)), decoder => decoder.forward(latent).square().mean());
    }

    /// <summary>Predictors of 384 with 16 heads have heads 24 wide; here twelve heads of 4 in 48, trained for some steps.</summary>
    [Fact]
    public void Predictor_WhoseHeadsFillNoVectors_TrainsAsOnLibtorch()
    {
        KernelFact.NeedsSingles();
        var (expected, actual) = (Losses(kernels: false), Losses(kernels: true));
        Assert.True(expected[^1] < 0.9 * expected[0], $"the loss went from {expected[0]} to {expected[^1]}");
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-5 * expected[i], $"step {i}: {expected[i]:g9}, {actual[i]:g9} on kernels");

        static double[] Losses(bool kernels)
        {
            using var scope = NewDisposeScope();
            var shape = new VisionTransformerShape
            {
                ImageHeight = 32,
                ImageWidth = 32,
                PatchSize = 8,
                Width = 96,
                Depth = 1,
                Heads = 3,
                MlpWidth = 96,
            };
            using var predictor = Started(new Predictor(new PredictorShape(48, 2, 12), shape));
            using var flat = new FlatParameters(predictor, trained: true);
            var use = new KernelUse(ScalarType.Float32, Trained: true, WeightsChange: true);
            using var attached = kernels ? AttachedKernels.To(predictor, use) : null;
            Assert.Empty(attached?.Missing ?? []);
            using var context = new PatchSelection([[0, 1, 2, 4, 5, 6]], 2, 16, CPU);
            using var targets = new PatchSelection([[3, 7, 11, 8], [12, 13, 14, 9]], 2, 16, CPU);
            var losses = new double[20];
            for (var i = 0; i < losses.Length; i++)
            {
                using var step = NewDisposeScope();
                using var tape = GradientTape.Start();
                flat.ZeroGradients();
                var loss = nn.functional.mse_loss(predictor.Predict(Waves(2, 3, 96), context, targets), Waves(4, 2, 96).cos());
                tape.Backward(loss, mark: 0);
                losses[i] = loss.item<float>();
                using var untracked = no_grad();
                _ = flat.Values.Add_(flat.Gradients!.Multiply(-0.3));
                attached?.Refresh();
            }

            return losses;
        }
    }

    [Fact]
    public void Missing_OfWhatDoesNotFit_SaysWhy()
    {
        KernelFact.NeedsSingles();
        using var decoder = Started(new PixelDecoder(encoderWidth: 48, width: 24, heads: 3, pixels: 75));
        using (var attached = AttachedKernels.To(decoder, new KernelUse(ScalarType.Float32, Trained: true, WeightsChange: true)))
        {
            Assert.True(attached.Any);
            Assert.Equal(["decoder_blocks: width 24 is not a multiple of 16", "decoder_norm: width 24 is not a multiple of 16"], attached.Missing);
        }

        using var fitting = Started(new PixelDecoder(encoderWidth: 48, width: 48, heads: 16, pixels: 75));
        using var all = AttachedKernels.To(fitting, new KernelUse(ScalarType.Float32, Trained: true, WeightsChange: true));
        Assert.Empty(all.Missing);
    }

    [Fact]
    public void Dispose_AndANewAttachment_LeaveNothingBehind()
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var decoder = Started(new PixelDecoder(encoderWidth: 48, width: 48, heads: 3, pixels: 75));
        var use = new KernelUse(ScalarType.Float32, Trained: false, WeightsChange: true);
        var x = Waves(2, 9, 48);
        var before = decoder.forward(x);
        var first = AttachedKernels.To(decoder, use);
        var second = AttachedKernels.To(decoder, use);
        first.Dispose();
        var with = decoder.forward(x);
        Assert.True(first.Any is false && second.Any);
        Assert.False(with.equal(before).all().item<bool>()); // the second's are still there, and round a little differently
        second.Dispose();
        Assert.True(decoder.forward(x).equal(before).all().item<bool>());
    }

    [Theory]
    [InlineData(24)]
    [InlineData(48)]
    public void FlatParameters_InBFloat16_ServeWhatFitsAndCopyTheRest(int width)
    {
        KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using var plain = Started(new PixelDecoder(48, width, 3, 75));
        var x = Waves(2, 9, 48);
        var expected = plain.forward(x).square().mean();
        expected.backward();
        using var decoder = Started(new PixelDecoder(48, width, 3, 75));
        using var flat = new FlatParameters(decoder, trained: true);
        Assert.Empty(flat.WithoutKernels);
        flat.ComputeIn(ScalarType.BFloat16);
        Assert.Equal(width == 24 ? 2 : 0, flat.WithoutKernels.Count);
        using var tape = GradientTape.Start();
        var actual = decoder.forward(x).to(float32).square().mean();
        tape.Backward(actual, mark: 0);
        flat.CollectGradients();
        AssertNear("loss", expected, actual, 0.03);
        foreach (var ((name, ours), (_, theirs)) in decoder.named_parameters().Zip(plain.named_parameters()))
            AssertNear(name, theirs.grad!, ours.grad!, 0.1);
    }

    private static void Compare<T>(Func<T> build, Func<T, Tensor> loss)
        where T : nn.Module
    {
        using var plain = build();
        using var served = build();
        using var attached = AttachedKernels.To(served, new KernelUse(ScalarType.Float32, Trained: true, WeightsChange: true));
        Assert.Empty(attached.Missing);
        var expected = loss(plain);
        expected.backward();
        using var tape = GradientTape.Start();
        var actual = loss(served);
        tape.Backward(actual, mark: 0);
        AssertNear("loss", expected, actual, 1e-5);
        foreach (var ((name, theirs), (_, ours)) in plain.named_parameters().Zip(served.named_parameters()))
            AssertNear(name, theirs.grad!, ours.grad!, 2e-4);
    }

    private static void AssertNear(string what, Tensor expected, Tensor actual, double tolerance)
    {
        var (difference, largest) = (expected.Subtract(actual).abs().max().item<float>(), expected.abs().max().item<float>());
        Assert.True(difference <= tolerance * Math.Max(1e-3, largest), $"{what} differs by {difference:g3} of {largest:g3}");
    }

    private static T Started<T>(T network)
        where T : nn.Module
    {
        Initialization.Initialize(network, 3, stream: 0);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        foreach (var parameter in network.parameters()) _ = parameter.Add_(Waves(parameter.shape).Multiply(0.1));
        return network;
    }

    private static Tensor Waves(params long[] shape) =>
        arange(shape.Aggregate(1L, (a, b) => a * b), dtype: float32).mul(0.7.ToScalar()).sin().reshape(shape);

    /// <summary>As somebody else would write it: an MAE-like decoder down to pixels, through a head with a GELU.</summary>
    private sealed class PixelDecoder : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "decoder_embed")] private readonly Dense _embed;
        [ComponentName(Name = "decoder_blocks")] private readonly BlockStack _blocks;
        [ComponentName(Name = "decoder_norm")] private readonly LayerNormalization _norm;
        [ComponentName(Name = "head")] private readonly Mlp _head;
        [ComponentName(Name = "decoder_pred")] private readonly Dense _predict;

        public PixelDecoder(int encoderWidth, int width, int heads, int pixels)
            : base(nameof(PixelDecoder))
        {
            _embed = new Dense("decoder_embed", [width, encoderWidth]);
            _blocks = new BlockStack(depth: 2, width, heads, hidden: 2 * width);
            _norm = new LayerNormalization("decoder_norm", width);
            _head = new Mlp("head", width, 50);
            _predict = new Dense("decoder_pred", [pixels, width]);
            RegisterComponents();
        }

        public override Tensor forward(Tensor latent) => _predict.forward(_head.forward(_norm.forward(_blocks.Forward(_embed.forward(latent)))));
    }
}
