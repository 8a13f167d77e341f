using JepaSharp.Kernels;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Optimization;

/// <summary>AdamW over flat parameters: one fused call for the decayed part and one for the rest.</summary>
/// <remarks>
/// Loshchilov and Hutter, 2019, algorithm 2, as PyTorch computes it, with bias correction:
/// <code>
/// w &lt;- w - lr λ w
/// m &lt;- β₁ m + (1 - β₁) g          v &lt;- β₂ v + (1 - β₂) g²
/// w &lt;- w - lr (m / (1 - β₁ᵗ)) / (√(v / (1 - β₂ᵗ)) + ε)
/// </code>
/// </remarks>
public sealed class AdamW : IDisposable
{
    // TorchSharp binds no fused optimizer; TorchScript reaches the operator. What is returned must come out of the list: otherwise
    // TorchScript takes the call for one without effect and drops it.
    private static readonly Lazy<jit.CompilationUnit> Script = new(() => jit.compile(
        """
        def step(w: Tensor, g: Tensor, m: Tensor, v: Tensor, t: Tensor, numbers: Tensor):
            weights = [w]
            torch._fused_adamw_(weights, [g], [m], [v], [], [t], lr=float(numbers[0]), beta1=float(numbers[1]), beta2=float(numbers[2]),
                                weight_decay=float(numbers[3]), eps=float(numbers[4]), amsgrad=False, maximize=False)
            return weights[0]

        def step_if_finite(w: Tensor, g: Tensor, m: Tensor, v: Tensor, t: Tensor, numbers: Tensor, not_finite: Tensor):
            weights = [w]
            torch._fused_adamw_(weights, [g], [m], [v], [], [t], lr=float(numbers[0]), beta1=float(numbers[1]), beta2=float(numbers[2]),
                                weight_decay=float(numbers[3]), eps=float(numbers[4]), amsgrad=False, maximize=False, found_inf=not_finite)
            return weights[0]

        """));

    private readonly FlatParameters _parameters;
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly Tensor _step;

    /// <summary>An optimizer with zero moments.</summary>
    public AdamW(FlatParameters parameters, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
    {
        using var scope = NewDisposeScope();
        (_parameters, _beta1, _beta2, _epsilon) = (parameters, beta1, beta2, epsilon);
        FirstMoment = zeros_like(parameters.Values).DetachFromDisposeScope();
        SecondMoment = zeros_like(parameters.Values).DetachFromDisposeScope();
        _step = zeros([], float32, parameters.Values.device).DetachFromDisposeScope();
    }

    /// <summary>m: float32, laid out as the parameters.</summary>
    public Tensor FirstMoment { get; }

    /// <summary>v: float32, laid out as the parameters.</summary>
    public Tensor SecondMoment { get; }

    /// <summary>Steps taken so far.</summary>
    public long StepCount { get; private set; }

    /// <summary>Takes one step with the gradients that are there.</summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="weightDecay">Of this step; the part of the parameters that is not subject to it has none.</param>
    public void Step(double learningRate, double weightDecay) => Step(learningRate, weightDecay, null, 0);

    /// <summary>Takes one step with the gradients that are there, and moves an average towards the new weights.</summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="weightDecay">Of this step.</param>
    /// <param name="average">Laid out as the parameters; null for none.</param>
    /// <param name="momentum">Of the average: average &lt;- momentum average + (1 - momentum) weights.</param>
    internal void Step(double learningRate, double weightDecay, FlatParameters? average, double momentum)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        StepCount++;
        var decayed = _parameters.DecayedCount;
        if (KernelSupport.Singles && _parameters.OnCpu)
        {
            ApplyKernel(0, decayed, learningRate, weightDecay, average, momentum);
            ApplyKernel(decayed, _parameters.Count - decayed, learningRate, 0, average, momentum);
            return;
        }

        Apply(0, decayed, learningRate, weightDecay);
        Apply(decayed, _parameters.Count - decayed, learningRate, 0);
        if (average is not null) _ = average.Values.Towards_(_parameters.Values, 1 - momentum);
    }

    /// <summary>
    /// Takes one step unless the gradients are not finite, which only the device knows: nobody waits for it. The count rises in any case
    /// (<see cref="Restore"/> takes it back).
    /// </summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="weightDecay">Of this step.</param>
    /// <param name="average">Laid out as the parameters; null for none.</param>
    /// <param name="momentum">Of the average.</param>
    /// <param name="notFinite">[] float32 on the device: 1 to change nothing, 0 to take the step.</param>
    internal void StepIfFinite(double learningRate, double weightDecay, FlatParameters? average, double momentum, Tensor notFinite)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        StepCount++;
        var decayed = _parameters.DecayedCount;
        Apply(0, decayed, learningRate, weightDecay, notFinite);
        Apply(decayed, _parameters.Count - decayed, learningRate, 0, notFinite);
        if (average is null) return;
        // (1 - momentum) where the step is taken, else 0.
        var weight = notFinite.Minus(ones_like(notFinite)).Times(momentum - 1);
        _ = average.Values.lerp_(_parameters.Values, weight);
    }

    /// <summary>Sets the number of steps taken, after the moments were restored.</summary>
    public void Restore(long stepCount) => StepCount = stepCount;

    /// <inheritdoc/>
    public void Dispose()
    {
        FirstMoment.Dispose();
        SecondMoment.Dispose();
        _step.Dispose();
    }

    private unsafe void ApplyKernel(long start, long count, double learningRate, double weightDecay, FlatParameters? average, double momentum)
    {
        if (count == 0) return;
        float* Part(Tensor flat) => FlatParameters.Memory(flat) + start;
        AdamWKernel.Step(
            Part(_parameters.Values), Part(_parameters.Gradients!), Part(FirstMoment), Part(SecondMoment), average is null ? null : Part(average.Values), (nint)count,
            new AdamWNumbers(learningRate, _beta1, _beta2, _epsilon, weightDecay, StepCount), 1 - momentum, WorkerThreads.Shared);
    }

    private void Apply(long start, long count, double learningRate, double weightDecay, Tensor? notFinite = null)
    {
        if (count == 0) return;
        Tensor Part(Tensor flat) => flat.narrow(0, start, count);
        _ = _step.Become_(StepCount); // the operator reads the number of this step
        object[] arguments =
        [
            Part(_parameters.Values), Part(_parameters.Gradients!), Part(FirstMoment), Part(SecondMoment), _step,
            tensor(new double[] { learningRate, _beta1, _beta2, weightDecay, _epsilon }), // a tensor, not numbers: see TensorArithmetic
        ];
        _ = notFinite is null ? Script.Value.invoke<Tensor>("step", arguments) : Script.Value.invoke<Tensor>("step_if_finite", [.. arguments, notFinite]);
    }
}
