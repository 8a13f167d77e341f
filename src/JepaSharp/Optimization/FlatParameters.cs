using JepaSharp.Kernels;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Optimization;

/// <summary>All parameters of a network as views of one float32 tensor, and their gradients as views of another.</summary>
/// <remarks>
/// <para>What a step does to every parameter (AdamW, moving average, all-reduce, saving) then takes a few calls whatever the depth.
/// Order in memory: matrices (weight decay; paper, appendix A.1), then biases and norms (none). Within the matrices, those of
/// <see cref="Dense"/> layers follow whatever else there is, and their biases come next, so that everything with a low-precision working copy is one
/// range: <c>[mask token | dense matrices | dense biases | norms]</c>.</para>
/// <para>In bfloat16 the dense layers compute with a copy of that range, refreshed by one cast after each step; the float32 values, their
/// gradients and everything derived from them stay float32.</para>
/// </remarks>
public sealed class FlatParameters : IDisposable
{
    private const double BesideNorm = 1e-6;

    private readonly List<(string Name, Parameter Parameter, long Start)> _entries = [];
    private readonly List<Dense> _dense = [];
    private readonly List<Dense.WorkingCopy> _copies = [];
    private readonly long _denseStart;
    private readonly long _denseEnd;
    private Tensor? _working;
    private Tensor? _workingGradients;
    private readonly nn.Module _network;
    private readonly bool _trained;
    private AttachedKernels? _kernels;

    /// <summary>Moves a network's parameters into flat memory, in place: the module goes on working with the same values.</summary>
    /// <param name="network">Any network; its <see cref="Dense"/> layers may compute in bfloat16, and kernels serve what they can of it.</param>
    /// <param name="trained">Whether gradients are wanted.</param>
    public FlatParameters(nn.Module network, bool trained)
    {
        (_network, _trained) = (network, trained);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var denseOf = new Dictionary<IntPtr, Dense>();
        foreach (var dense in network.modules().OfType<Dense>())
        {
            _dense.Add(dense);
            denseOf[dense.Weight.Handle] = dense;
            if (dense.HasBias) denseOf[dense.Bias.Handle] = dense;
        }

        var named = network.named_parameters().ToList();
        var ordered = named.OrderBy(p => Rank(p.parameter, denseOf)).ToList();
        var device = named[0].parameter.device;
        Values = zeros([ordered.Sum(p => p.parameter.numel())], float32, device).DetachFromDisposeScope();
        Gradients = trained ? zeros_like(Values).DetachFromDisposeScope() : null;

        long at = 0;
        foreach (var (name, parameter) in ordered)
        {
            var rank = Rank(parameter, denseOf);
            if (rank <= 0) _denseStart = at + (rank == 0 ? parameter.numel() : 0);
            if (rank <= 1) DecayedCount = at + parameter.numel();
            if (rank <= 2) _denseEnd = at + parameter.numel();
            var view = Slice(Values, at, parameter);
            _ = view.copy_(parameter);
            parameter.requires_grad = false;
            _ = parameter.set_(view);
            parameter.requires_grad = trained;
            if (Gradients is not null) parameter.grad = Slice(Gradients, at, parameter);
            _entries.Add((name, parameter, at));
            at += parameter.numel();
        }

        MemoryAllocator.GiveBackFreePages(); // the parameters' old places are free now
    }

    /// <summary>float32 [numbers]: every parameter. A first part that weight decay applies to, then the rest.</summary>
    public Tensor Values { get; }

    /// <summary>float32 [numbers]: every gradient, in the same order; null for a network that is not trained.</summary>
    public Tensor? Gradients { get; }

    /// <summary>How many numbers from the start are subject to weight decay.</summary>
    public long DecayedCount { get; }

    /// <summary>How many numbers there are.</summary>
    public long Count => Values.numel();

    internal bool OnCpu => Values.device_type == TorchSharp.DeviceType.CPU;

    /// <summary>Name, shape and offset of every parameter, in memory order.</summary>
    public IEnumerable<(string Name, long[] Shape, long Start)> Layout => _entries.Select(e => (e.Name, e.Parameter.shape, e.Start));

    /// <summary>A view of <paramref name="flat"/> (values, gradients, or an optimizer's moments) as one parameter.</summary>
    public static Tensor ViewOf(Tensor flat, long start, long[] shape) => flat.narrow(0, start, shape.Aggregate(1L, (a, b) => a * b)).view(shape);

    /// <summary>What of the network runs on libtorch's operators rather than on the CPU kernels, each with the reason; empty before
    /// <see cref="ComputeIn"/>.</summary>
    public IReadOnlyList<string> WithoutKernels => _kernels?.Missing ?? [];

    /// <summary>Makes the dense layers compute so from now on.</summary>
    /// <param name="computation">What <see cref="ComputationChoice"/> has measured as fastest; or float32 or bfloat16 alone.</param>
    /// <param name="checkpoint">Keep less for the backward pass and compute it again, where the CPU kernels are used.</param>
    public void ComputeIn(Computation computation, bool checkpoint = false)
    {
        using var scope = NewDisposeScope();
        _kernels?.Dispose();
        _kernels = AttachedKernels.To(_network, new KernelUse(computation, _trained, WeightsChange: true, checkpoint));
        if (_kernels.Any) MemoryAllocator.GiveBackLargeBlocks();
        DropWorkingCopies();
        // the kernels have their own copies
        var left = computation.Precision == ScalarType.Float32 ? [] : _dense.Where(dense => !_kernels.Serves(dense)).ToList();
        if (left.Count == 0) return;

        using var untracked = no_grad();
        _working = Values.narrow(0, _denseStart, _denseEnd - _denseStart).to(computation.Precision).DetachFromDisposeScope();
        _workingGradients = Gradients is null ? null : zeros_like(_working).DetachFromDisposeScope();
        var starts = _entries.ToDictionary(e => e.Parameter.Handle, e => e.Start - _denseStart);
        foreach (var dense in left)
        {
            var copy = new Dense.WorkingCopy(
                WorkingView(dense.Weight, starts), dense.HasBias ? WorkingView(dense.Bias, starts) : null);
            _copies.Add(copy);
            dense.Use(copy);
        }
    }

    /// <summary>Brings the working copy up to date with the float32 values.</summary>
    public void RefreshWorkingCopy()
    {
        _kernels?.Refresh();
        if (_working is null) return;
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        _ = _working.copy_(Values.narrow(0, _denseStart, _denseEnd - _denseStart));
    }

    /// <summary>After a backward pass: adds the working copy's gradients to the float32 ones.</summary>
    public void CollectGradients()
    {
        if (_workingGradients is null) return;
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        _ = Gradients!.narrow(0, _denseStart, _denseEnd - _denseStart).Add_(_workingGradients);
        _ = _workingGradients.zero_();
    }

    /// <summary>Sum of the gradients' squares; not finite if one of them is not.</summary>
    public unsafe double SquaredGradientNorm()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        if (KernelSupport.Singles && OnCpu) return SumOfSquares.Of(TensorMemory.Floats(Gradients!), (nint)Count, WorkerThreads.Shared);
        return Math.Pow(Gradients!.norm().item<float>(), 2);
    }

    /// <summary>Scales each parameter's gradient by itself, in place: g times min(1, limit / (|g| + 1e-6)). Nobody waits for a device.</summary>
    /// <param name="limit">The largest norm that is left as it is, about.</param>
    public void ClipEach(double limit)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var beside = tensor((float)BesideNorm, device: Values.device);
        foreach (var (_, shape, start) in Layout)
        {
            using var inner = NewDisposeScope();
            var gradient = ViewOf(Gradients!, start, shape);
            _ = gradient.mul_(gradient.norm().Add_(beside).reciprocal_().Multiply_(limit).Clamp_(0, 1));
        }
    }

    /// <summary>Sets every gradient to zero, in place.</summary>
    public void ZeroGradients()
    {
        using var untracked = no_grad();
        _ = Gradients?.zero_();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        DropWorkingCopies();
        _kernels?.Dispose();
        Values.Dispose();
        Gradients?.Dispose();
    }

    private void DropWorkingCopies()
    {
        foreach (var dense in _dense) dense.Use(null);
        foreach (var copy in _copies) copy.Dispose();
        _copies.Clear();
        _working?.Dispose();
        _workingGradients?.Dispose();
        (_working, _workingGradients) = (null, null);
    }

    private Tensor WorkingView(Parameter parameter, Dictionary<IntPtr, long> starts)
    {
        var start = starts[parameter.Handle];
        var view = ViewOf(_working!, start, parameter.shape).detach();
        if (_workingGradients is not null)
        {
            view.requires_grad = true;
            view.grad = ViewOf(_workingGradients, start, parameter.shape);
        }

        return view.DetachFromDisposeScope();
    }

    /// <summary>0 other matrices, 1 dense matrices, 2 dense biases, 3 norms.</summary>
    private static int Rank(Parameter parameter, Dictionary<IntPtr, Dense> denseOf) =>
        (parameter.dim() > 1, denseOf.ContainsKey(parameter.Handle)) switch
        {
            (true, false) => 0,
            (true, true) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };

    private static Tensor Slice(Tensor flat, long start, Tensor like) => ViewOf(flat, start, like.shape);
}
