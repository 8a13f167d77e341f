namespace JepaSharp.Configuration;

/// <summary>Everything that decides a pretraining run: five sections with the names of the published YAML files, immutable, each with defaults.</summary>
/// <remarks>
/// A key in YAML is the property's name in snake case: <see cref="DataOptions.CropSize"/> is <c>data.crop_size</c>. Every key of the published
/// configuration files is here under its own name; keys of ours are marked "Ours" where they stand.
/// </remarks>
public sealed record PretrainOptions
{
    /// <summary>Images: where they come from and how they are cropped.</summary>
    public DataOptions Data { get; init; } = new();

    /// <summary>Context and target blocks.</summary>
    public MaskOptions Mask { get; init; } = new();

    /// <summary>The networks, the device and the seed.</summary>
    public MetaOptions Meta { get; init; } = new();

    /// <summary>Loss, schedules and the optimizer.</summary>
    public OptimizationOptions Optimization { get; init; } = new();

    /// <summary>What is written, where and how often.</summary>
    public LoggingOptions Logging { get; init; } = new();
}
