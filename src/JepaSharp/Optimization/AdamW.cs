using JepaSharp.Kernels;
using static TorchSharp.torch;

namespace JepaSharp.Optimization;

/// <summary>AdamW over flat parameters: one fused call for each run of parameters with the same rate and decay, which is two where all have the same
/// rate.</summary>
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
    private readonly IReadOnlyList<ParameterRun> _runs;
    private long _begun;

    /// <summary>An optimizer with zero moments.</summary>
    /// <param name="parameters">What is trained.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="epsilon">Added to the root of the second moment.</param>
    /// <param name="rateOf">Share of the learning rate that a parameter of the given name gets; null for the whole.</param>
    /// <param name="decays">Whether a parameter of the given name is subject to weight decay; null for matrices alone.</param>
    /// <param name="frozenSteps">Steps at the start that a parameter of the given name does not take; infinite for none ever. Null for none.</param>
    public AdamW(FlatParameters parameters, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, Func<string, double>? rateOf = null,
        Func<string, bool>? decays = null, Func<string, double>? frozenSteps = null)
    {
        using var scope = NewDisposeScope();
        (_parameters, _beta1, _beta2, _epsilon) = (parameters, beta1, beta2, epsilon);
        _runs = RunsOf(parameters, rateOf, decays, frozenSteps);
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
    /// <param name="notFinite">
    /// [] float32 on the device: 1 to change nothing, 0 to take the step, which nobody waits for; null where the host knows that the step is finite.
    /// The count rises in any case (<see cref="Restore"/> takes it back).
    /// </param>
    internal void Step(double learningRate, double weightDecay, FlatParameters? average, double momentum, Tensor? notFinite = null)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        StepCount++;
        foreach (var run in _runs)
        {
            Tensor Part(Tensor flat) => flat.narrow(0, run.Start, run.Count);
            var (w, g, m, v) = (Part(_parameters.Values), Part(_parameters.Gradients!), Part(FirstMoment), Part(SecondMoment));
            var a = average is null ? null : Part(average.Values);
            if (StepCount - _begun <= run.FrozenSteps)
            {
                if (a is not null) AdamWUpdate.Follow(a, w, momentum, notFinite);
                continue;
            }

            var numbers = new AdamWNumbers(
                learningRate * run.Share, _beta1, _beta2, _epsilon, run.IsDecayed ? weightDecay : 0, StepCount - (long)run.FrozenSteps);
            if (notFinite is null) AdamWUpdate.Take(w, g, m, v, a, numbers, momentum);
            else AdamWUpdate.TakeIfFinite(w, g, m, v, a, numbers, momentum, notFinite);
        }
    }

    /// <summary>Sets the number of steps taken, after the moments were restored.</summary>
    /// <param name="stepCount">All of them.</param>
    /// <param name="begun">Those among them that were taken before this run, where frozen parameters are frozen anew.</param>
    public void Restore(long stepCount, long begun = 0) => (StepCount, _begun) = (stepCount, begun);

    /// <inheritdoc/>
    public void Dispose()
    {
        FirstMoment.Dispose();
        SecondMoment.Dispose();
    }

    /// <summary>Neighbours in memory with the same rate, decay and start, together.</summary>
    private static List<ParameterRun> RunsOf(
        FlatParameters parameters, Func<string, double>? rateOf, Func<string, bool>? decays, Func<string, double>? frozenSteps)
    {
        var runs = new List<ParameterRun>();
        foreach (var (name, shape, start) in parameters.Layout)
        {
            var run = new ParameterRun(start, shape.Aggregate(1L, (a, b) => a * b), rateOf?.Invoke(name) ?? 1,
                decays?.Invoke(name) ?? start < parameters.DecayedCount, frozenSteps?.Invoke(name) ?? 0);
            if (runs.Count > 0 && runs[^1] is var last && run == last with { Start = run.Start, Count = run.Count })
                runs[^1] = last with { Count = last.Count + run.Count };
            else runs.Add(run);
        }

        return runs;
    }

    /// <summary>Numbers that lie together and are treated alike.</summary>
    /// <param name="Start">The first.</param>
    /// <param name="Count">How many.</param>
    /// <param name="Share">Of the learning rate.</param>
    /// <param name="IsDecayed">Whether weight decay applies.</param>
    /// <param name="FrozenSteps">Steps at the start that they do not take; infinite for none ever.</param>
    private sealed record ParameterRun(long Start, long Count, double Share, bool IsDecayed, double FrozenSteps);
}
