using JepaSharp.Configuration.Rules;
using JepaSharp.Configuration.Schema;

namespace JepaSharp.Configuration;

/// <summary>Everything that decides a pretraining run: five sections with the names of the published YAML files, with defaults.</summary>
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

    /// <summary>Reads a YAML file and overrides, and validates what comes of it.</summary>
    /// <param name="path">A YAML file, or null for the defaults.</param>
    /// <param name="overrides">Each <c>section.key=value</c>, value as in YAML.</param>
    /// <exception cref="ConfigurationException">Lists every problem.</exception>
    /// <exception cref="Runtime.JepaException">The file cannot be read.</exception>
    public static PretrainOptions Load(string? path, IEnumerable<string>? overrides = null)
    {
        var document = OptionsDocument.Load(path, overrides);
        document.Validate();
        return document.Options;
    }

    /// <summary>Reads YAML text and validates what comes of it.</summary>
    /// <param name="yaml">The text; keys that it lacks take their defaults.</param>
    /// <exception cref="ConfigurationException">Lists every problem.</exception>
    public static PretrainOptions Parse(string yaml)
    {
        var document = OptionsDocument.Parse(yaml);
        document.Validate();
        return document.Options;
    }

    /// <summary>These options with some keys set anew; nothing is validated yet but the assignments.</summary>
    /// <param name="overrides">Each <c>section.key=value</c>, value as in YAML.</param>
    /// <exception cref="ConfigurationException">An assignment cannot be read; lists every problem.</exception>
    public PretrainOptions Apply(IEnumerable<string> overrides) => OptionsDocument.Parse("", overrides, this).Options;

    /// <summary>Every key with its value, in a stable order. Reading it back gives equal options.</summary>
    public string ToYaml() => OptionsWriter.Write(this);

    /// <summary>Everything about the values that cannot be meant; empty where all is well.</summary>
    public IReadOnlyList<ConfigurationProblem> FindProblems() => OptionRules.Check(this);

    /// <summary>Does nothing where all is well.</summary>
    /// <exception cref="ConfigurationException">Lists every problem.</exception>
    public void Validate()
    {
        if (FindProblems() is { Count: > 0 } problems) throw new ConfigurationException(problems);
    }
}
