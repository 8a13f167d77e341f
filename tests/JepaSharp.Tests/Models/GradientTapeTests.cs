using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using JepaSharp.Tests.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Models;

/// <summary>Kernels beside libtorch's own operators in one graph: what is detached, seen twice, looked at in another shape or written over.</summary>
public sealed class GradientTapeTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Detached_MadeToNeedGradientsAgain_LeaksNoneIntoWhatWasCutOff(bool kernels)
    {
        using var net = new Net(kernels);
        using var tape = GradientTape.Start();
        var x = Waves(3, 5, 32).requires_grad_();
        var y = net.Forward(x);
        var z = y.detach();
        z.requires_grad = true;
        tape.Backward(net.Layer.forward(z.view(5, 3, 32)).sum(), mark: 0);
        Assert.NotNull(z.grad);
        Assert.Null(x.grad);
        Assert.Equal(24, net.Stack.named_parameters().Count());
        foreach (var (name, parameter) in net.Stack.named_parameters())
            Assert.True(parameter.grad is null || parameter.grad.abs().max().item<float>() == 0, $"a gradient leaked into {name}");
    }

    [Fact]
    public void OutputUsedTwice_AndTwoViewsOfIt_AddUpAsInLibtorch() => SameAsLibtorch((net, x) =>
    {
        var y = net.Forward(x);
        var (whole, part) = (y.view(15, 32), y.narrow(1, 1, 3));
        return net.Layer.forward(whole).square().mean().Add(net.Norm.forward(part).sin().sum()).Add(net.Layer.forward(y).cos().sum()).Add(y.sum());
    });

    /// <summary>GELU keeps its input for its backward pass, which must come once, after both kernels'.</summary>
    [Fact]
    public void WhatLibtorchMade_ReadByTwoKernels_IsGoneBackThroughOnce() => SameAsLibtorch((net, x) =>
    {
        var h = nn.functional.gelu(net.Forward(x));
        return net.Layer.forward(h).square().mean().Add(net.Norm.forward(h).sin().sum()).Add(h.square().sum());
    });

    /// <summary>Kernels do not read their output again, so that it may be changed, in libtorch's sight.</summary>
    [Fact]
    public void Output_WrittenOverInPlace_GoesOnAsInLibtorch() => SameAsLibtorch((net, x) =>
    {
        var y = net.Forward(x);
        _ = y.Multiply_(0.5);
        _ = y.narrow(1, 0, 2).Multiply_(3);
        return net.Layer.forward(y).square().mean();
    });

    [Fact]
    public void Input_WrittenOverBeforeItsBackward_IsRefused()
    {
        KernelFact.NeedsSingles();
        using var net = new Net(kernels: true);
        using var tape = GradientTape.Start();
        var x = Waves(3, 5, 32);
        var y = net.Norm.forward(x).sum();
        _ = x.Multiply_(2);
        var error = Assert.ThrowsAny<Exception>(() => tape.Backward(y, mark: 0));
        Assert.Contains("modified by an inplace operation", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatFailedInABackwardPassWithoutTheTape_IsSaidAtItsEnd()
    {
        KernelFact.NeedsSingles();
        using var net = new Net(kernels: true);
        var tape = GradientTape.Start();
        var x = Waves(3, 5, 32);
        var y = net.Norm.forward(x).sum();
        _ = x.Multiply_(2);
        y.backward();
        _ = Assert.ThrowsAny<Exception>(tape.Dispose);
        Assert.Null(GradientTape.Current);
    }

    [Fact]
    public void Cut_OfWhatNeedsNoGradient_StopsThere()
    {
        using var scope = NewDisposeScope();
        using var tape = GradientTape.Start();
        var cut = tape.Cut(Waves(4));
        tape.Backward(cut.square().sum(), mark: 0);
        Assert.Equal(0, tape.Mark);
    }

    /// <summary>The loss, and the gradients of input and parameters, with kernels and without.</summary>
    private static void SameAsLibtorch(Func<Net, Tensor, Tensor> loss)
    {
        KernelFact.NeedsSingles();
        var (expected, actual) = (Run(kernels: false), Run(kernels: true));
        Assert.Contains("stack.1.mlp.fc2.weight", expected.Keys);
        foreach (var (name, numbers) in expected)
        {
            var largest = numbers.Max(Math.Abs);
            var difference = numbers.Zip(actual[name], (a, b) => Math.Abs(a - b)).Max();
            Assert.True(difference <= 1e-4 * largest, $"{name} differs by {difference:g3} of {largest:g3}");
        }

        Dictionary<string, float[]> Run(bool kernels)
        {
            using var net = new Net(kernels);
            using var tape = GradientTape.Start();
            var x = Waves(3, 5, 32).requires_grad_();
            var value = loss(net, x);
            tape.Backward(value, mark: 0);
            var all = net.Everything.ToDictionary(p => p.name, p => p.parameter.grad!.data<float>().ToArray());
            all["input"] = x.grad!.data<float>().ToArray();
            all["loss"] = [value.item<float>()];
            return all;
        }
    }

    private static Tensor Waves(params long[] shape) =>
        arange(shape.Aggregate(1L, (a, b) => a * b), dtype: float32).mul(0.7.ToScalar()).sin().reshape(shape);

    /// <summary>A stack, a norm and a layer, with kernels or without.</summary>
    private sealed class Net : IDisposable
    {
        private readonly DisposeScope _scope = NewDisposeScope();
        private readonly List<AttachedKernels> _kernels = [];

        public Net(bool kernels)
        {
            nn.Module[] all = [Stack, Norm, Layer];
            foreach (var (part, i) in all.Select((part, i) => (part, i)))
            {
                Initialization.Initialize(part, 7, stream: i);
                using (no_grad())
                {
                    foreach (var parameter in part.parameters()) _ = parameter.Add_(Waves(parameter.shape).Multiply(0.1));
                }

                if (kernels) _kernels.Add(AttachedKernels.To(part, new KernelUse(ScalarType.Float32, Trained: true, WeightsChange: true)));
            }
        }

        public BlockStack Stack { get; } = new(depth: 2, width: 32, heads: 2, hidden: 64);

        public LayerNormalization Norm { get; } = new("norm", 32);

        public Dense Layer { get; } = new("layer", [16, 32]);

        public IEnumerable<(string name, TorchSharp.Modules.Parameter parameter)> Everything =>
            new (string Name, nn.Module Module)[] { ("stack", Stack), ("norm", Norm), ("layer", Layer) }
                .SelectMany(part => part.Module.named_parameters().Select(p => ($"{part.Name}.{p.name}", p.parameter)))
                .Where(p => p.parameter.grad is not null);

        public Tensor Forward(Tensor x) => Stack.Forward(x);

        public void Dispose()
        {
            foreach (var kernels in _kernels) kernels.Dispose();
            _scope.Dispose();
        }
    }
}
