using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Models;

/// <summary>Branches that are left out in training.</summary>
public sealed class StochasticDepthTests
{
    private const int Samples = 4000;
    private const double Rate = 0.4;

    [Fact]
    public void Branches_AreLeftOutBySample_RisingLinearly_AndWhatStaysIsDividedByItsChance()
    {
        using var scope = NewDisposeScope();
        using var stack = Stack(depth: 3);
        using var depth = new StochasticDepth(stack, Rate, Stream(1));
        var factors = depth.Draw(3, Samples, CPU).view(3, 2, Samples);
        for (var block = 0; block < 3; block++)
        {
            var keep = 1 - (Rate * block / 2);
            for (var branch = 0; branch < 2; branch++)
            {
                var own = factors[block, branch].data<float>().ToArray();
                Assert.All(own, f => Assert.True(f == 0 || f == (float)(1 / keep)));
                Assert.Equal(keep, own.Count(f => f > 0) / (double)Samples, 0.03); // three and a half deviations
            }
        }

        // Branches and samples are independent: both of the last block's branches are kept at the product of their chances.
        var both = (factors[2, 0] * factors[2, 1]).data<float>().Count(f => f > 0) / (double)Samples;
        Assert.Equal(0.36, both, 0.03);
    }

    [Fact]
    public void Passes_LeaveOutWhatIsDrawn_AndNothingElse()
    {
        using var scope = NewDisposeScope();
        using var stack = Stack(depth: 2);
        var x = randn([64, 5, 32], float32, CPU, generator: new Generator(3));
        Tensor dropped;
        using (new StochasticDepth(stack, 0.5, Stream(2))) dropped = stack.Forward(x).detach();
        using var again = new StochasticDepth(stack, 0.5, Stream(2));
        var factors = again.Draw(2, 64, CPU);
        var middle = stack[0].forward(x); // the first block is never left out
        using (no_grad())
        {
            var attended = middle + (stack[1].Through(middle, null, tensor([1f, 0f]).view(2, 1, 1, 1)) - middle) * factors[1, 0];
            var whole = attended + (stack[1].Through(attended, null, tensor([0f, 1f]).view(2, 1, 1, 1)) - attended) * factors[1, 1];
            Assert.True((dropped - whole).abs().max().item<float>() < 1e-5);
            Assert.True((dropped - stack.Forward(x)).abs().max().item<float>() > 0.01);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rate0_AndPassesWithoutGradients_AreTheBitsOfBefore(bool kernels)
    {
        using var scope = NewDisposeScope();
        using var encoder = new VisionTransformer(Small);
        Initialization.Initialize(encoder, 5, 0);
        using var attached = kernels ? AttachedKernels.To(encoder, new KernelUse(ScalarType.Float32, Trained: true, WeightsChange: true)) : null;
        var images = randn([3, 3, 32, 32], float32, CPU, generator: new Generator(4));
        Tensor Trained() { using var tape = GradientTape.Start(); return encoder.forward(images).detach(); }
        var before = Trained();
        using (encoder.DropPaths(0, Stream(1))) Assert.True(before.equal(Trained()).all().item<bool>());
        using var dropping = encoder.DropPaths(0.5, Stream(1));
        Assert.False(before.equal(Trained()).all().item<bool>());
        using (no_grad()) Assert.True((before - encoder.forward(images)).abs().max().item<float>() < 1e-5);
        dropping.Dispose();
        Assert.True(before.equal(Trained()).all().item<bool>());
    }

    [Fact]
    public void OneStream_GivesOneResult_AndLaterPassesAnother()
    {
        using var scope = NewDisposeScope();
        using var stack = Stack(depth: 4);
        var x = randn([16, 3, 32], float32, CPU, generator: new Generator(6));
        Tensor[] Twice()
        {
            using var depth = new StochasticDepth(stack, 0.5, Stream(9));
            return [stack.Forward(x).detach(), stack.Forward(x).detach()];
        }

        Tensor[] first = Twice(), second = Twice();
        Assert.True(first[0].equal(second[0]).all().item<bool>());
        Assert.True(first[1].equal(second[1]).all().item<bool>());
        Assert.False(first[0].equal(first[1]).all().item<bool>());
        _ = Assert.Throws<ArgumentOutOfRangeException>(() => new StochasticDepth(stack, 1, Stream(1)));
    }

    /// <summary>Gradients of all parameters, on the kernels and on libtorch's operators: whole and chosen tokens, kept and recomputed.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Gradients_WithAndWithoutKernels_Agree(bool some, bool checkpoint)
    {
        Kernels.KernelFact.NeedsSingles();
        using var scope = NewDisposeScope();
        using BlockStack plain = Stack(depth: 3), served = Stack(depth: 3);
        using var attached = AttachedKernels.To(served, new KernelUse(ScalarType.Float32, Trained: true, WeightsChange: true, checkpoint));
        Assert.True(attached.Any);
        Tensor x = randn([40, 5, 32], float32, CPU, generator: new Generator(8)), y = x.clone();
        x.requires_grad = y.requires_grad = true;
        IReadOnlyList<int[]> chosen = [.. Enumerable.Range(0, 40).Select(s => s % 3 == 0 ? new[] { 0, 3 } : [1, 2, 4])];
        Tensor Loss(BlockStack stack, Tensor tokens)
        {
            using var depth = new StochasticDepth(stack, 0.6, Stream(5));
            return (some ? stack.Forward(tokens, chosen) : stack.Forward(tokens)).square().mean();
        }

        var expected = Loss(plain, x);
        expected.backward();
        using var tape = GradientTape.Start();
        var actual = Loss(served, y);
        tape.Backward(actual, mark: 0);
        Assert.Equal(expected.item<float>(), actual.item<float>(), 1e-4 * expected.item<float>());
        var pairs = plain.named_parameters().Zip(served.named_parameters(), (p, s) => (p.name, p.parameter.grad!, s.parameter.grad!));
        foreach (var (name, wanted, found) in pairs.Append(("input", x.grad!, y.grad!)))
        {
            var largest = wanted.abs().max().item<float>();
            Assert.True((wanted - found).abs().max().item<float>() <= 3e-4 * Math.Max(1e-3, largest), name);
        }
    }

    private static VisionTransformerShape Small => new()
    {
        ImageHeight = 32, ImageWidth = 32, PatchSize = 8, Width = 32, Depth = 3, Heads = 2, MlpWidth = 64,
    };

    private static RandomStream Stream(ulong seed) => new(seed, RandomPurpose.Objective);

    private static BlockStack Stack(int depth)
    {
        var stack = new BlockStack(depth, 32, 2, 64);
        Initialization.Initialize(stack, 7, 0);
        using var untracked = no_grad();
        foreach (var p in stack.parameters()) _ = p.mul_(4);
        return stack;
    }
}
