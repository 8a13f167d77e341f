using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Affine map y = x Wᵀ + b. [..., in] -> [..., out].</summary>
/// <remarks>
/// The parameters are always float32. In mixed precision a working copy in bfloat16 takes their place in the products, and its
/// gradients are brought back by whoever owns the copy (<see cref="Optimization.FlatParameters"/>).
/// </remarks>
public sealed class Dense : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter? _bias;
    private readonly long[]? _matrixShape;
    private WorkingCopy? _working;
    private WorkingCopy? _ownCopy;

    /// <summary>Builds a layer whose weights are not yet set: see <see cref="Initialization"/>.</summary>
    /// <param name="name">Name shown by the module tree.</param>
    /// <param name="weightShape">[out, in], or for a patch embedding [out, C, P, P], used as [out, C P P].</param>
    /// <param name="device">Where the parameters live; meta for shapes alone. Null: the CPU.</param>
    /// <param name="bias">Whether there is a b.</param>
    public Dense(string name, long[] weightShape, Device? device = null, bool bias = true)
        : base(name)
    {
        _weight = new Parameter(empty(weightShape, float32, device));
        if (bias) _bias = new Parameter(empty([weightShape[0]], float32, device));
        if (weightShape.Length > 2) _matrixShape = [weightShape[0], -1];
        RegisterComponents();
    }

    /// <summary>W: float32 of the shape it was built with.</summary>
    public Parameter Weight => _weight;

    /// <summary>b: float32 [out].</summary>
    /// <exception cref="InvalidOperationException">It was built without.</exception>
    public Parameter Bias => _bias ?? throw new InvalidOperationException("This layer was built without a bias.");

    /// <summary>Whether there is a b.</summary>
    public bool HasBias => _bias is not null;

    /// <summary>What takes the products' place where it can; hung on from outside.</summary>
    internal AcceleratedDense? Kernel { get; set; }

    /// <summary>Uses these in place of the float32 parameters from now on; null goes back.</summary>
    internal void Use(WorkingCopy? copy) => _working = copy;

    /// <summary>Makes a working copy of its own in <paramref name="precision"/>, of the values as they are now; none for float32.</summary>
    internal void ComputeIn(ScalarType precision)
    {
        _ownCopy?.Dispose();
        using var untracked = no_grad();
        _ownCopy = precision == ScalarType.Float32
            ? null
            : new WorkingCopy(_weight.to(precision).DetachFromDisposeScope(), _bias?.to(precision).DetachFromDisposeScope());
        Use(_ownCopy);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _ownCopy?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The map, and rows of a table added to what comes out; null where no CPU kernel can do it.</summary>
    /// <param name="x">[..., in].</param>
    /// <param name="table">float32 [count, out].</param>
    /// <param name="chosen">int64: which row of the table to add to each; null: one after the other, over and over.</param>
    internal Tensor? ForwardPlus(Tensor x, Tensor table, Tensor? chosen = null)
    {
        if (Kernel is null || !Kernel.CanRun(x)) return null;
        if (chosen is not null && chosen.numel() != x.numel() / x.shape[^1])
            throw new ArgumentException($"{x.numel() / x.shape[^1]} tokens for {chosen.numel()} places.", nameof(x));
        using var scope = NewDisposeScope();
        return Kernel.Forward(x, table, chosen).MoveToOuterDisposeScope();
    }

    /// <summary>The same of the patches of images, which are nowhere put together; null where no CPU kernel can do it.</summary>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="patch">P; divides H and W.</param>
    /// <param name="table">float32 [N, out]: what to add to each patch's output.</param>
    /// <param name="chosen">Which patches; null for all, in order.</param>
    /// <returns>[B, N, out], or [rows, out] of chosen patches.</returns>
    internal Tensor? ForwardPatchesPlus(Tensor images, int patch, Tensor table, PatchSelection? chosen)
    {
        if (Kernel is null || images.requires_grad || !Kernel.CanRun(images)) return null;
        using var scope = NewDisposeScope();
        return Kernel.ForwardPatches(images, patch, table, chosen).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (Kernel is not null && Kernel.CanRun(x)) return Kernel.Forward(x).MoveToOuterDisposeScope();
        var weight = _working?.Weight ?? _weight;
        var bias = _working?.Bias ?? _bias;
        if (_matrixShape is not null) weight = weight.reshape(_matrixShape);
        if (x.dtype != weight.dtype) x = x.to(weight.dtype);
        ProductTrace.Add(x, weight, weight.shape[0]);
        return nn.functional.linear(x, weight, bias).MoveToOuterDisposeScope();
    }

    /// <summary>Lower-precision stand-ins of the two parameters.</summary>
    internal sealed record WorkingCopy(Tensor Weight, Tensor? Bias) : IDisposable
    {
        public void Dispose()
        {
            Weight.Dispose();
            Bias?.Dispose();
        }
    }
}

/// <summary>A linear layer on features, in float32 whatever its network computes in. [B, D] -> [B, K].</summary>
public sealed class LinearHead : nn.Module<Tensor, Tensor>
{
    private const double Deviation = 0.01, Bound = 2;

    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;

    /// <summary>Builds a head whose weights are not yet set.</summary>
    /// <param name="width">D.</param>
    /// <param name="outputs">K.</param>
    /// <param name="device">Where the weights live; null for the CPU.</param>
    public LinearHead(int width, int outputs, Device? device = null)
        : base(nameof(LinearHead))
    {
        _weight = new Parameter(empty([outputs, width], float32, device ?? CPU));
        _bias = new Parameter(empty([outputs], float32, device ?? CPU));
        RegisterComponents();
    }

    /// <summary>K.</summary>
    public int Outputs => (int)_bias.shape[0];

    /// <summary>Small random weights (deviation 0.01, truncated) and a bias of 0.</summary>
    public void Initialize(RandomStream random)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        Initialization.TruncatedNormal_(_weight, Deviation, Bound, random.NextUInt64());
        _ = _bias.zero_();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor features)
    {
        ProductTrace.Add(features, _weight, Outputs);
        return nn.functional.linear(features, _weight, _bias);
    }
}
