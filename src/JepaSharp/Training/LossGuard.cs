using System.Globalization;
using JepaSharp.Training.Progress;

namespace JepaSharp.Training;

/// <summary>Watches a run's numbers: steps that are not finite are skipped as far as allowed, and a loss far above the last ones is said.</summary>
/// <param name="mostInARow">Steps in a row that may be skipped; 0 for none.</param>
/// <param name="skippedInARow">How many were skipped just before the run was resumed.</param>
/// <param name="observer">Is told of skips and spikes.</param>
internal sealed class LossGuard(int mostInARow, int skippedInARow, ITrainingObserver observer)
{
    // A spike: six deviations and half of the mean above the mean of the last hundred steps or so, once in a hundred.
    private const int Memory = 100, Settling = 50;
    private const double Deviations = 6, Share = 0.5;

    private double _mean, _variance;
    private long _seen, _lastSpike = -Memory;
    private StepResult? _last;

    /// <summary>Steps skipped since the last good one.</summary>
    public int SkippedInARow { get; private set; } = skippedInARow;

    /// <summary>Takes a step, or skips it.</summary>
    /// <param name="step">The step's number, from 1.</param>
    /// <param name="take">Takes it; throws before anything changes if it is not finite.</param>
    /// <returns>What it did; null if it was skipped.</returns>
    /// <exception cref="NumericalException">It is not finite, and no more may be skipped.</exception>
    public StepResult? Take(long step, Func<StepResult> take)
    {
        StepResult result;
        try
        {
            result = take();
        }
        catch (NumericalException e)
        {
            if (SkippedInARow >= mostInARow) throw e.With(LastStatistics());
            SkippedInARow++;
            observer.OnMessage(string.Create(
                CultureInfo.InvariantCulture,
                $"step {step:n0} was skipped, {SkippedInARow} of at most {mostInARow} in a row, and no weight was changed: its loss or gradient is "
                    + $"not finite"));
            return null;
        }

        SkippedInARow = 0;
        _last = result;
        Note(step, result.Loss);
        return result;
    }

    private void Note(long step, double loss)
    {
        var excess = loss - _mean;
        if (_seen >= Settling && excess > Deviations * Math.Sqrt(_variance) && excess > Share * _mean && step - _lastSpike >= Memory)
        {
            _lastSpike = step;
            observer.OnMessage(string.Create(
                CultureInfo.InvariantCulture,
                $"the loss of step {step:n0} is {loss:G4}, far above the last steps' {_mean:G4} ± {Math.Sqrt(_variance):G2}: a spike"));
        }

        // Exponentially weighted mean and variance; a plain mean until there are enough.
        var weight = 1.0 / Math.Min(++_seen, Memory);
        _mean += weight * excess;
        _variance = (1 - weight) * (_variance + (weight * excess * excess));
    }

    private string LastStatistics() => _last is not { } last
        ? "No step before it in this process."
        : string.Create(
            CultureInfo.InvariantCulture,
            $"The step before had a loss of {last.Loss:G4}, a gradient norm of {last.GradientNorm:G4} and a learning rate of "
                + $"{last.LearningRate:G4}; the losses before it averaged {_mean:G4} ± {Math.Sqrt(_variance):G2}.");
}
