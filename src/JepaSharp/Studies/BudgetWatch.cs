using JepaSharp.Training.Progress;

namespace JepaSharp.Studies;

/// <summary>
/// Watches the clock of a run whose budget is time: halfway, and once more near its end (of time or steps), it works out how many steps the rest
/// will be.
/// </summary>
/// <param name="budget">Time that all steps may take together.</param>
/// <param name="before">What the steps of earlier processes took.</param>
/// <param name="total">Steps that the run is laid out for.</param>
/// <param name="enough">Is called once the number is known to be another.</param>
internal sealed class BudgetWatch(TimeSpan budget, TimeSpan before, long total, Action enough) : ITrainingObserver
{
    private const double Worth = 0.02;
    private static readonly double[] Looks = [0.5, 0.9];

    private TimeSpan _own;
    private long _steps;

    /// <summary>Steps that the run should end after instead; null where it is well laid out.</summary>
    public long? Better { get; private set; }

    /// <inheritdoc/>
    public void OnStep(in StepReport step)
    {
        var earlier = (before + _own) / budget;
        _own += step.StepTime + step.DataWait;
        _steps++;
        var now = (before + _own) / budget;
        var isNearItsEnd = step.Step == (long)(Looks[^1] * total);
        if (Better is not null || (!isNearItsEnd && !Array.Exists(Looks, look => earlier < look && now >= look))) return;
        var left = (long)Math.Max(1, (budget - before - _own) / (_own / _steps));
        if (Math.Abs(step.Step + left - total) <= Worth * total || step.Step >= total) return;
        Better = step.Step + left;
        enough();
    }
}
