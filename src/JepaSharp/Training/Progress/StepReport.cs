namespace JepaSharp.Training.Progress;

/// <summary>What one training step was and did.</summary>
public readonly record struct StepReport
{
    /// <summary>Epoch, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Step within the epoch, from 0, as the published log counts.</summary>
    public required int Iteration { get; init; }

    /// <summary>Steps in an epoch.</summary>
    public required int IterationsPerEpoch { get; init; }

    /// <summary>Steps done since the run began, this one included: the first is 1. A resumed run counts on.</summary>
    public required long Step { get; init; }

    /// <summary>Steps that the whole run will make.</summary>
    public required long TotalSteps { get; init; }

    /// <summary>Mean loss over the batch.</summary>
    public required float Loss { get; init; }

    /// <summary>Learning rate that the step used.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Weight decay that the step used.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>Momentum of the moving averages.</summary>
    public required double Momentum { get; init; }

    /// <summary>What the objective reported beside the loss, in the order of its <see cref="Objectives.Objective.Numbers"/>; NaN where the step was
    /// skipped.</summary>
    public required IReadOnlyList<double> Numbers { get; init; }

    /// <summary>Time from having the batch to having new weights.</summary>
    public required TimeSpan StepTime { get; init; }

    /// <summary>Time spent waiting for the batch before the step.</summary>
    public required TimeSpan DataWait { get; init; }

    /// <summary>B, images in the step.</summary>
    public required int Images { get; init; }

    /// <summary>
    /// Floating-point operations of the step (<see cref="Objectives.StepOperations"/>); null where the objective counts none, or it was skipped.
    /// </summary>
    public double? Operations { get; init; }

    /// <summary>Images a second, the wait for data included.</summary>
    public double ImagesPerSecond => Images / Math.Max((StepTime + DataWait).TotalSeconds, 1e-9);
}
