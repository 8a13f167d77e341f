using JepaSharp.Kernels;
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
    private readonly FlatParameters _parameters;
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;

    /// <summary>An optimizer with zero moments.</summary>
    public AdamW(FlatParameters parameters, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
    {
        using var scope = NewDisposeScope();
        (_parameters, _beta1, _beta2, _epsilon) = (parameters, beta1, beta2, epsilon);
        FirstMoment = zeros_like(parameters.Values).DetachFromDisposeScope();
        SecondMoment = zeros_like(parameters.Values).DetachFromDisposeScope();
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
    internal void Step(double learningRate, double weightDecay, FlatParameters? average, double momentum) =>
        Step(learningRate, weightDecay, average, momentum, notFinite: null);

    /// <summary>
    /// Takes one step unless the gradients are not finite, which only the device knows: nobody waits for it. The count rises in any case
    /// (<see cref="Restore"/> takes it back).
    /// </summary>
    /// <param name="learningRate">Of this step.</param>
    /// <param name="weightDecay">Of this step.</param>
    /// <param name="average">Laid out as the parameters; null for none.</param>
    /// <param name="momentum">Of the average.</param>
    /// <param name="notFinite">[] float32 on the device: 1 to change nothing, 0 to take the step.</param>
    internal void StepIfFinite(double learningRate, double weightDecay, FlatParameters? average, double momentum, Tensor notFinite) =>
        Step(learningRate, weightDecay, average, momentum, (Tensor?)notFinite);

    /// <summary>Sets the number of steps taken, after the moments were restored.</summary>
    public void Restore(long stepCount) => StepCount = stepCount;

    /// <inheritdoc/>
    public void Dispose()
    {
        FirstMoment.Dispose();
        SecondMoment.Dispose();
    }

    private void Step(double learningRate, double weightDecay, FlatParameters? average, double momentum, Tensor? notFinite)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        StepCount++;
        var decayed = _parameters.DecayedCount;
        Apply(0, decayed, weightDecay);
        Apply(decayed, _parameters.Count - decayed, 0);
        void Apply(long start, long count, double decay)
        {
            Tensor Part(Tensor flat) => flat.narrow(0, start, count);
            var (w, g, m, v, a) = (Part(_parameters.Values), Part(_parameters.Gradients!), Part(FirstMoment), Part(SecondMoment), average is null ? null : Part(average.Values));
            var numbers = new AdamWNumbers(learningRate, _beta1, _beta2, _epsilon, decay, StepCount);
            if (notFinite is null) AdamWUpdate.Take(w, g, m, v, a, numbers, momentum);
            else AdamWUpdate.TakeIfFinite(w, g, m, v, a, numbers, momentum, notFinite);
        }
    }
}
