using JepaSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Three linear layers, batch norm and ReLU (or GELU) after the first two: embeddings to what a loss compares. [R, in] -> float32
/// [R, K].</summary>
/// <remarks>
/// As torchvision's MLP, whose names it has: <c>0</c>, <c>4</c> and <c>8</c> are the linear layers, <c>1</c> and <c>5</c> the norms. Batch norm takes
/// its statistics over all rows at once.
/// </remarks>
public sealed class Projector : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "0")] private readonly Dense _first;
    [ComponentName(Name = "1")] private readonly BatchNormalization _firstNorm;
    [ComponentName(Name = "4")] private readonly Dense _second;
    [ComponentName(Name = "5")] private readonly BatchNormalization _secondNorm;
    [ComponentName(Name = "8")] private readonly Dense _last;

    /// <summary>Builds a projector whose weights are not yet set: see <see cref="Initialize"/>.</summary>
    /// <param name="shape">Its widths.</param>
    /// <param name="device">Where the weights live; meta for shapes alone. Null: the CPU.</param>
    public Projector(ProjectorShape shape, Device? device = null)
        : base(nameof(Projector))
    {
        ArgumentNullException.ThrowIfNull(shape);
        using var outside = NewDisposeScope();
        Shape = shape;
        _first = new Dense("0", [shape.Hidden, shape.Inputs], device);
        _firstNorm = new BatchNormalization("1", shape.Hidden, device);
        _second = new Dense("4", [shape.Hidden, shape.Hidden], device);
        _secondNorm = new BatchNormalization("5", shape.Hidden, device);
        _last = new Dense("8", [shape.Outputs, shape.Hidden], device);
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>Its widths.</summary>
    public ProjectorShape Shape { get; }

    /// <summary>How many batch norms there are: each has running averages.</summary>
    public static int Norms => 2;

    /// <summary>Initial weights: PyTorch's, uniform in ±1/√inputs for weights and biases of linear layers; norms 1 and 0.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">Tells networks of one run apart.</param>
    public void Initialize(ulong seed, int stream)
    {
        using var untracked = no_grad();
        var index = 0;
        foreach (var layer in (Dense[])[_first, _second, _last])
        {
            var bound = 1 / Math.Sqrt(layer.Weight.shape[1]);
            foreach (var parameter in (Tensor[])[layer.Weight, layer.Bias])
                Initialization.Uniform_(parameter, bound, new RandomStream(seed, RandomPurpose.Initialization, stream, index++).NextUInt64());
        }

        foreach (var (name, parameter) in named_parameters().Where(p => p.name[0] is '1' or '5'))
            _ = parameter.Fill_(name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0);
    }

    /// <summary>Rows to projections, normalised by the rows' own statistics. [R, in] -> float32 [R, K].</summary>
    public override Tensor forward(Tensor x) => Through(x, _firstNorm.forward, _secondNorm.forward);

    /// <summary>The same, and moves running averages towards the rows', in place.</summary>
    /// <param name="x">[R, in], at least two rows.</param>
    /// <param name="running">Of each norm; changed.</param>
    public Tensor Train(Tensor x, IReadOnlyList<RunningStatistics> running) =>
        Through(x, h => _firstNorm.Train(h, running[0]), h => _secondNorm.Train(h, running[1]));

    /// <summary>Rows to projections, normalised by running averages. [R, in] -> float32 [R, K].</summary>
    /// <param name="x">[R, in].</param>
    /// <param name="running">Of each norm; not changed.</param>
    public Tensor Evaluate(Tensor x, IReadOnlyList<RunningStatistics> running) =>
        Through(x, h => _firstNorm.Evaluate(h, running[0]), h => _secondNorm.Evaluate(h, running[1]));

    private Tensor Through(Tensor x, Func<Tensor, Tensor> firstNorm, Func<Tensor, Tensor> secondNorm)
    {
        using var scope = NewDisposeScope();
        var hidden = Activated(firstNorm(_first.forward(x)));
        hidden = Activated(secondNorm(_second.forward(hidden)));
        return _last.forward(hidden).to(float32).MoveToOuterDisposeScope();
    }

    private Tensor Activated(Tensor x) => Shape.Activation == ProjectorActivation.Gelu ? nn.functional.gelu(x) : x.relu_();
}

/// <summary>Widths of a <see cref="Projector"/>.</summary>
/// <param name="Inputs">Numbers in a row.</param>
/// <param name="Hidden">Width of both hidden layers.</param>
/// <param name="Outputs">K: numbers that come out.</param>
public sealed record ProjectorShape(int Inputs, int Hidden, int Outputs)
{
    /// <summary>What follows each norm.</summary>
    public ProjectorActivation Activation { get; init; }
}

/// <summary>What follows the norms of a <see cref="Projector"/>.</summary>
public enum ProjectorActivation
{
    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>x Φ(x), exactly: by the error function.</summary>
    Gelu,
}
