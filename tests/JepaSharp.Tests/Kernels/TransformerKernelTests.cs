using JepaSharp.Kernels;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Kernels;

/// <summary>The kernels against libtorch's operators and automatic differentiation on the same weights.</summary>
public sealed class TransformerKernelTests
{
    /// <summary>
    /// Width, heads, sequences, tokens: one token, odd numbers, more than one block of queries, head widths of 16, 32, 48 and 64 and, not in whole
    /// vectors, of 1, 4, 5, 24, 40 and 88, partly filled panels, and numbers of tokens as a class token leaves them (50, 65, 197).
    /// </summary>
    public static TheoryData<int, int, int, int> Shapes => new()
    {
        { 32, 2, 1, 1 }, { 48, 3, 5, 7 }, { 96, 2, 3, 33 }, { 64, 1, 9, 22 }, { 80, 5, 2, 129 }, { 192, 3, 4, 64 }, { 64, 2, 200, 3 },
        { 16, 16, 2, 5 }, { 48, 12, 5, 7 }, { 80, 16, 3, 50 }, { 96, 4, 3, 65 }, { 80, 2, 2, 197 }, { 176, 2, 2, 129 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Forward_AndBackward_AgreeWithLibtorch(int width, int heads, int sequences, int tokens)
    {
        KernelFact.NeedsSingles();
        Compare(width, heads, sequences, tokens, ScalarType.Float32, wanted: null, checkpoint: false, forward: 2e-5, backward: 2e-4);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ChosenTokens_ForwardAndBackward_AgreeWithLibtorch(int width, int heads, int sequences, int tokens)
    {
        KernelFact.NeedsSingles();
        var wanted =
            Enumerable.Range(0, sequences).Select(s => Enumerable.Range(0, tokens).Where(t => (t + s) % 3 == 0 || tokens == 1).ToArray()).ToList();
        Compare(width, heads, sequences, tokens, ScalarType.Float32, wanted, checkpoint: false, forward: 2e-5, backward: 2e-4);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void BFloat16_ForwardAndBackward_StayNearFloat32(int width, int heads, int sequences, int tokens)
    {
        KernelFact.NeedsPairs();
        Compare(width, heads, sequences, tokens, new Computation(ScalarType.BFloat16, ProductMethod.PairDots), wanted: null, checkpoint: false,
            forward: 0.03, backward: 0.1);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void WidenedBFloat16_ForwardAndBackward_StayNearFloat32(int width, int heads, int sequences, int tokens)
    {
        KernelFact.NeedsSingles();
        var widened = new Computation(ScalarType.BFloat16, ProductMethod.Widened);
        Compare(width, heads, sequences, tokens, widened, wanted: null, checkpoint: false, forward: 0.03, backward: 0.1);
        var wanted =
            Enumerable.Range(0, sequences).Select(s => Enumerable.Range(0, tokens).Where(t => (t + s) % 3 == 0 || tokens == 1).ToArray()).ToList();
        Compare(width, heads, sequences, tokens, widened, wanted, checkpoint: true, forward: 0.03, backward: 0.1);
    }

    [Fact]
    public void Checkpointing_ChangesNoBit()
    {
        KernelFact.NeedsSingles();
        var wanted = Enumerable.Range(0, 6).Select(s => new[] { s, s + 4 }).ToList();
        var kept = Gradients(checkpoint: false, wanted);
        var again = Gradients(checkpoint: true, wanted);
        Assert.Equal(kept, again);

        static float[] Gradients(bool checkpoint, IReadOnlyList<int[]> wanted)
        {
            using var scope = NewDisposeScope();
            using var network = Network(64, 2);
            return [.. Accelerated(network, 6, 11, ScalarType.Float32, wanted, checkpoint).Gradients.Values.SelectMany(
                g => g.data<float>().ToArray())];
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public unsafe void Threads_ChangeNoBit(int threads)
    {
        KernelFact.NeedsSingles();
        var one = Run(1);
        Assert.Equal(one, Run(threads));

        static float[] Run(int threads)
        {
            using var scope = NewDisposeScope();
            using var network = Network(64, 2);
            using var handles = new ParameterHandles(trained: true);
            var blocks = network.modules().OfType<TransformerBlock>().Select(b => b.Memory(handles)).ToList();
            using var kernel =
                new TransformerKernel<Single32>(new StackShape(64, 2, 1e-6f), blocks, trained: true, keepPanels: false, new WorkerThreads(threads));
            var (x, y, g) = (Numbers(40, 13, 64), empty(40, 13, 64), Numbers(40, 13, 64).mul(0.5.ToScalar()));
            var layout = new SequenceLayout(40, 13);
            var pass = kernel.Forward(layout, TensorMemory.Floats(x), TensorMemory.Floats(y));
            kernel.Backward(pass, TensorMemory.Floats(g), TensorMemory.Floats(g));
            return [.. y.data<float>(), .. g.data<float>(), .. network.parameters().Where(p => p.grad is not null).SelectMany(
                p => p.grad!.data<float>().ToArray())];
        }
    }

    private static void Compare(
        int width, int heads, int sequences, int tokens, Computation precision, IReadOnlyList<int[]>? wanted, bool checkpoint, double forward,
        double backward)
    {
        using var scope = NewDisposeScope();
        using var reference = Network(width, heads);
        using var network = Network(width, heads);
        var expected = Reference(reference, sequences, tokens, wanted);
        var actual = Accelerated(network, sequences, tokens, precision, wanted, checkpoint);
        AssertNear("output", expected.Output, actual.Output, forward);
        foreach (var (name, gradient) in expected.Gradients) AssertNear(name, gradient, actual.Gradients[name], backward);
    }

    private static void AssertNear(string what, Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var difference = expected.Subtract(actual).abs().max().item<float>();
        Assert.True(difference <= tolerance * Math.Max(1e-3, expected.abs().max().item<float>()),
            $"{what} differs by {difference:g3} of {expected.abs().max().item<float>():g3}");
    }

    private static (Tensor Output, Dictionary<string, Tensor> Gradients) Reference(
        VisionTransformer network, int sequences, int tokens, IReadOnlyList<int[]>? wanted)
    {
        var x = Numbers(sequences, tokens, network.Shape.Width);
        x.requires_grad = true;
        var y = x;
        foreach (var block in network.modules().OfType<TransformerBlock>()) y = block.forward(y);
        if (wanted is not null)
        {
            var rows = wanted.SelectMany((set, s) => set.Select(t => (long)((s * tokens) + t))).ToArray();
            y = y.flatten(0, 1).index_select(0, tensor(rows));
        }

        y.backward([Numbers(y.shape)]);
        return (y.detach(), Collected(network, x));
    }

    private static (Tensor Output, Dictionary<string, Tensor> Gradients) Accelerated(
        VisionTransformer network, int sequences, int tokens, Computation precision, IReadOnlyList<int[]>? wanted, bool checkpoint)
    {
        var shape = network.Shape;
        using var blocks = new AcceleratedBlocks(
            network.modules().OfType<BlockStack>().Single(),
            new KernelUse(precision, Trained: true, WeightsChange: true, checkpoint), keepPanels: false);
        using var tape = GradientTape.Start();
        var x = Numbers(sequences, tokens, shape.Width);
        x.requires_grad = true;
        var y = blocks.Forward(x, wanted);
        tape.Backward(y.mul(Numbers(y.shape)).sum(), mark: 0);
        return (y.detach(), Collected(network, x));
    }

    private static Dictionary<string, Tensor> Collected(VisionTransformer network, Tensor x)
    {
        var gradients = network.named_parameters().Where(p => p.parameter.grad is not null).ToDictionary(p => p.name, p => p.parameter.grad!);
        gradients["input"] = x.grad!;
        return gradients;
    }

    private static VisionTransformer Network(int width, int heads)
    {
        var network = new VisionTransformer(new VisionTransformerShape
        {
            ImageHeight = 8,
            ImageWidth = 8,
            PatchSize = 4,
            Width = width,
            Depth = 2,
            Heads = heads,
            MlpWidth = 2 * width
        });
        Initialization.Initialize(network, 5, stream: 0);
        // Norms and biases away from ones and zeros, and attention away from uniform, so that a forgotten factor shows.
        using var untracked = no_grad();
        foreach (var (name, parameter) in network.named_parameters())
        {
            if (parameter.dim() == 1) _ = parameter.add_(Numbers(parameter.shape), alpha: 0.3.ToScalar());
            else _ = parameter.mul_(8.ToScalar());
        }

        return network;
    }

    /// <summary>The same numbers, spread like normal ones, for the same shape.</summary>
    private static Tensor Numbers(params long[] shape)
    {
        var count = shape.Aggregate(1L, (a, b) => a * b);
        return arange(count, dtype: float32).mul(12.9898.ToScalar()).sin().mul(43758.5453.ToScalar()).frac().mul(1.5.ToScalar()).reshape(shape);
    }
}
