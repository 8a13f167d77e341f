namespace JepaSharp.Configuration;

/// <summary>What is written, where and how often. YAML section <c>logging</c>.</summary>
public sealed record LoggingOptions
{
    /// <summary>The run's folder; null leaves it to the command. Null.</summary>
    public string? Folder { get; init; }

    /// <summary>Accepted for the published files' sake; a run is called by its folder. jepa.</summary>
    public string WriteTag { get; init; } = "jepa";

    /// <summary>Steps between TensorBoard points; metrics.csv has every step. 10. Ours.</summary>
    public int LogEvery { get; init; } = 10;

    /// <summary>Epochs between checkpoints; one is always written at the end. 1. Ours.</summary>
    public int CheckpointEvery { get; init; } = 1;

    /// <summary>Steps between writings of the latest checkpoint within an epoch; null for none. Null. Ours.</summary>
    public int? CheckpointSteps { get; init; }

    /// <summary>How many of the newest epoch checkpoints are kept; null for all. 3. Ours.</summary>
    public int? KeepLast { get; init; } = 3;

    /// <summary>Epoch checkpoints whose epoch is a multiple of this are kept for good; null for none. Null. Ours.</summary>
    public int? KeepEvery { get; init; }

    /// <summary>Epochs between measures on held-out images; null for never. 1. Ours.</summary>
    public int? EvaluateEvery { get; init; } = 1;

    /// <summary>Steps between readings of the monitors; 0 for none, null for as often as costs about 0.6 % of the arithmetic. Null. Ours.</summary>
    public int? MonitorEvery { get; init; }

    /// <summary>Write TensorBoard events. True. Ours.</summary>
    public bool Tensorboard { get; init; } = true;
}
