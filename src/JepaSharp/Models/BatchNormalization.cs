using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Batch norm over rows with scale and shift: y = (x - mean) / √(variance + ε) weight + bias, feature by feature, in float32.</summary>
/// <remarks>
/// Ioffe and Szegedy, 2015. In training mean and (biased) variance are the rows' own. What is used afterwards, running averages of both with momentum
/// 0.1, the variance unbiased, belongs to whoever trains: it moves from step to step, and is no weight.
/// </remarks>
public sealed class BatchNormalization : nn.Module<Tensor, Tensor>
{
    /// <summary>ε, added to the variance.</summary>
    public const double Epsilon = 1e-5;

    /// <summary>How far running averages move towards a batch's.</summary>
    public const double Momentum = 0.1;

    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;

    /// <summary>Builds a norm whose weights are not yet set.</summary>
    /// <param name="name">Name shown by the module tree.</param>
    /// <param name="width">F, features.</param>
    /// <param name="device">Where the parameters live; meta for shapes alone. Null: the CPU.</param>
    public BatchNormalization(string name, int width, Device? device = null)
        : base(name)
    {
        _weight = new Parameter(empty([width], float32, device));
        _bias = new Parameter(empty([width], float32, device));
        RegisterComponents();
    }

    /// <summary>F.</summary>
    public int Width => (int)_weight.shape[0];

    /// <summary>Normalises rows by their own mean and variance. [R, F] -> float32 [R, F].</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        using var running = RunningStatistics.New(Width, x.device);
        return Train(x, running).MoveToOuterDisposeScope();
    }

    /// <summary>The same, and moves running averages towards the rows' mean and variance, in place. [R, F] -> float32 [R, F].</summary>
    /// <param name="x">At least two rows.</param>
    /// <param name="running">Changed.</param>
    public Tensor Train(Tensor x, RunningStatistics running)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(running);
        return nn.functional.batch_norm(
            x.to(float32), running.Mean, running.Variance, _weight, _bias, training: true, momentum: Momentum, eps: Epsilon);
    }

    /// <summary>Normalises rows by running averages. [R, F] -> float32 [R, F].</summary>
    /// <param name="x">Rows.</param>
    /// <param name="running">Not changed.</param>
    public Tensor Evaluate(Tensor x, RunningStatistics running)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(running);
        return nn.functional.batch_norm(
            x.to(float32), running.Mean, running.Variance, _weight, _bias, training: false, momentum: Momentum, eps: Epsilon);
    }
}

/// <summary>Running averages of a batch norm's mean and variance.</summary>
/// <param name="Mean">float32 [F].</param>
/// <param name="Variance">float32 [F], unbiased.</param>
public sealed record RunningStatistics(Tensor Mean, Tensor Variance) : IDisposable
{
    /// <summary>As they begin: 0 and 1. They belong to the caller.</summary>
    /// <param name="width">F.</param>
    /// <param name="device">Where they live; null for the CPU.</param>
    public static RunningStatistics New(int width, Device? device = null) => new(
        zeros([width], float32, device).DetachFromDisposeScope(), ones([width], float32, device).DetachFromDisposeScope());

    /// <summary>Copies, which belong to the scope that is open.</summary>
    public RunningStatistics Copy() => new(Mean.clone(), Variance.clone());

    /// <inheritdoc/>
    public void Dispose()
    {
        Mean.Dispose();
        Variance.Dispose();
    }
}
