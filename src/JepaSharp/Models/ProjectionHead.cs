using JepaSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Features to logits by a narrow place of length 1: the head of DINO and, on every token, of iBOT. [R, D] -> [R, K].</summary>
/// <remarks> Caron et al., ICCV 2021, section 3.1 and appendix C: a perceptron of three layers (<c>mlp</c>), what comes out divided by its length,
/// and a layer
/// without bias of rows of a given length (<c>last_layer</c>). Zhou et al., ICLR 2022: patches may have a last layer of their own
/// (<c>last_layer2</c>). Legend: D features, H numbers at the narrow place, K outputs.
/// </remarks>
public sealed class ProjectionHead : nn.Module<Tensor, Tensor>
{
    /// <summary>What the names of the last layers' weights begin with.</summary>
    internal const string LastLayer = "last_layer", PatchLayer = "last_layer2";

    private const double LeastLength = 1e-12;

    [ComponentName(Name = "mlp")] private readonly NarrowPerceptron _perceptron;
    [ComponentName(Name = LastLayer)] private readonly NormalizedRows _last;
    [ComponentName(Name = PatchLayer)] private readonly NormalizedRows? _ofPatches;

    /// <summary>Builds a head whose weights are not yet set: see <see cref="Initialize"/>.</summary>
    /// <param name="shape">Its widths.</param>
    /// <param name="device">Where the weights live; meta for shapes alone. Null: the CPU.</param>
    public ProjectionHead(ProjectionHeadShape shape, Device? device = null)
        : base(nameof(ProjectionHead))
    {
        using var outside = NewDisposeScope();
        Shape = shape.Validated();
        _perceptron = new NarrowPerceptron(shape, device);
        _last = new NormalizedRows(LastLayer, shape.Outputs, shape.Narrow, shape.LearnsLengths, device);
        if (shape.PatchOutputs is { } outputs) _ofPatches = new NormalizedRows(PatchLayer, outputs, shape.Narrow, shape.LearnsLengths, device);
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>Its widths.</summary>
    public ProjectionHeadShape Shape { get; }

    /// <summary>Initial weights: of the perceptron normal with deviation 0.02 and biases 0; of last layers uniform in ±1/√H, each row of length
    /// 1.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">Tells networks of one run apart.</param>
    public void Initialize(ulong seed, int stream)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        Initialization.Initialize(this, seed, stream);
        var key = new RandomStream(seed, RandomPurpose.Initialization, stream, -1);
        _last.Initialize(key.NextUInt64());
        _ofPatches?.Initialize(key.NextUInt64());
    }

    /// <summary>What the last layer is given: through the perceptron, then divided by its length. [R, D] -> float32 [R, H].</summary>
    /// <param name="features">Rows, of any type.</param>
    public Tensor Narrow(Tensor features)
    {
        using var scope = NewDisposeScope();
        var rows = _perceptron.forward(features);
        Products = rows.dtype;
        rows = rows.to(float32);
        // z / max(|z|, 1e-12)
        var length = rows.square().sum([-1L], keepdim: true).sqrt();
        return rows.div(maximum(length, tensor((float)LeastLength, device: rows.device))).MoveToOuterDisposeScope();
    }

    /// <summary>What the products of the last layer are computed in, as those of the perceptron were.</summary>
    internal ScalarType Products { get; private set; } = ScalarType.Float32;

    /// <summary>W of the class token's last layer. -> float32 [K, H], with gradients.</summary>
    public Tensor Rows() => _last.Rows();

    /// <summary>W of the patches' last layer, which is the class token's where they share it. -> float32 [K', H], with gradients.</summary>
    public Tensor PatchRows() => (_ofPatches ?? _last).Rows();

    /// <summary>Logits of class tokens. [R, D] -> [R, K].</summary>
    public override Tensor forward(Tensor features) => Through(features, Rows());

    /// <summary>Logits of patches. [R, D] -> [R, K'].</summary>
    /// <param name="features">Rows.</param>
    public Tensor OfPatches(Tensor features) => Through(features, PatchRows());

    private Tensor Through(Tensor features, Tensor rows)
    {
        using var scope = NewDisposeScope();
        return Narrow(features).matmul(rows.t()).MoveToOuterDisposeScope();
    }
}

/// <summary>Widths of a <see cref="ProjectionHead"/>.</summary>
/// <param name="Inputs">D: features.</param>
/// <param name="Hidden">Width of both hidden layers.</param>
/// <param name="Narrow">H: numbers at the narrow place.</param>
/// <param name="Outputs">K: outputs.</param>
/// <param name="PatchOutputs">K': outputs of the patches' own last layer; null where they share the class token's.</param>
/// <param name="LearnsLengths">Whether the lengths of the last layers' rows are learned; else they stay as they are, 1 at the start.</param>
public sealed record ProjectionHeadShape(int Inputs, int Hidden, int Narrow, int Outputs, int? PatchOutputs = null, bool LearnsLengths = false)
{
    /// <summary>Checks that the numbers fit together.</summary>
    /// <exception cref="ArgumentException">Names every number that does not.</exception>
    public ProjectionHeadShape Validated()
    {
        var bad = ((int? Value, string Name)[])[
            (Inputs, "inputs"), (Hidden, "hidden width"), (Narrow, "narrow width"), (Outputs, "outputs"), (PatchOutputs, "outputs of patches")];
        var problems = bad.Where(n => n.Value < 1).Select(n => $"{n.Name} {n.Value} are not positive").ToList();
        return problems.Count == 0 ? this : throw new ArgumentException("The head cannot be built: " + string.Join("; ", problems) + ".");
    }
}

/// <summary>Three linear layers with GELU between: <c>0</c>, <c>2</c> and <c>4</c>. [R, D] -> [R, H].</summary>
internal sealed class NarrowPerceptron : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "0")] private readonly Dense _first;
    [ComponentName(Name = "2")] private readonly Dense _second;
    [ComponentName(Name = "4")] private readonly Dense _third;

    public NarrowPerceptron(ProjectionHeadShape shape, Device? device)
        : base("mlp")
    {
        _first = new Dense("0", [shape.Hidden, shape.Inputs], device);
        _second = new Dense("2", [shape.Hidden, shape.Hidden], device);
        _third = new Dense("4", [shape.Narrow, shape.Hidden], device);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var hidden = nn.functional.gelu(_first.forward(x));
        return _third.forward(nn.functional.gelu(_second.forward(hidden))).MoveToOuterDisposeScope();
    }
}

/// <summary>A layer without bias whose rows have a length g and a direction v: w_k = g_k v_k / |v_k| (Salimans and Kingma, 2016).</summary>
/// <remarks>A length that is not learned has no gradient, and is a weight all the same: a moving average goes on moving it.</remarks>
internal sealed class NormalizedRows : nn.Module
{
    /// <summary>The name of the lengths.</summary>
    public const string Lengths = "weight_g";

    [ComponentName(Name = Lengths)] private readonly Parameter _lengths;
    [ComponentName(Name = "weight_v")] private readonly Parameter _directions;
    private readonly bool _learnsLengths;

    public NormalizedRows(string name, int outputs, int inputs, bool learnsLengths, Device? device)
        : base(name)
    {
        _learnsLengths = learnsLengths;
        _lengths = new Parameter(empty([outputs, 1], float32, device));
        _directions = new Parameter(empty([outputs, inputs], float32, device));
        RegisterComponents();
    }

    /// <summary>-> float32 [K, H].</summary>
    public Tensor Rows()
    {
        using var scope = NewDisposeScope();
        var lengths = _learnsLengths ? _lengths : _lengths.detach();
        return _directions.mul(lengths.div(_directions.square().sum([1L], keepdim: true).sqrt())).MoveToOuterDisposeScope();
    }

    /// <summary>Lengths 1, directions as a linear layer of PyTorch begins.</summary>
    public void Initialize(ulong key)
    {
        Initialization.Uniform_(_directions, 1 / Math.Sqrt(_directions.shape[1]), key);
        _ = _lengths.Fill_(1);
    }
}
