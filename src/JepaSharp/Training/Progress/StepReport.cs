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

    /// <summary>Momentum of the target encoder's moving average.</summary>
    public required double Momentum { get; init; }

    /// <summary>Kc, patches in a context block (column mask-A of the published log).</summary>
    public required int ContextTokens { get; init; }

    /// <summary>Kt, patches in a target block (column mask-B of the published log).</summary>
    public required int TargetTokens { get; init; }

    /// <summary>Time from having the batch to having new weights.</summary>
    public required TimeSpan StepTime { get; init; }

    /// <summary>Time spent waiting for the batch before the step.</summary>
    public required TimeSpan DataWait { get; init; }

    /// <summary>B, images in the step.</summary>
    public required int Images { get; init; }

    /// <summary>Images a second, the wait for data included.</summary>
    public double ImagesPerSecond => Images / Math.Max((StepTime + DataWait).TotalSeconds, 1e-9);
}
