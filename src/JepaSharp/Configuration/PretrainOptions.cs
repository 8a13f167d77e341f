using JepaSharp.Configuration.Rules;
using JepaSharp.Configuration.Schema;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>Everything that decides a pretraining run: five sections with the names of the published YAML files, one for each objective and one for
/// views, with defaults.</summary>
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

    /// <summary>What I-JEPA predicts.</summary>
    public JepaOptions Ijepa { get; init; } = new();

    /// <summary>MAE's mask and decoder.</summary>
    public MaskedAutoencoderSection Mae { get; init; } = new();

    /// <summary>How LeJEPA weighs its losses, and what lies between its encoder and them.</summary>
    public LeJepaSection Lejepa { get; init; } = new();

    /// <summary>data2vec's masks, targets and distance, and what its encoder has beside the usual.</summary>
    public Data2VecSection Data2vec { get; init; } = new();

    /// <summary>DINO's head, temperatures and centre.</summary>
    public DinoSection Dino { get; init; } = new();

    /// <summary>iBOT's heads, temperatures, centres and masks.</summary>
    public IbotSection Ibot { get; init; } = new();

    /// <summary>MSN's masks, prototypes and loss.</summary>
    public MaskedSiameseSection Msn { get; init; } = new();

    /// <summary>The encoder that teaches, and what is learned of it.</summary>
    public DistillationSection Distill { get; init; } = new();

    /// <summary>The frozen networks whose representations are drawn, and the decoder that learns to.</summary>
    public RcdmSection Rcdm { get; init; } = new();

    /// <summary>Several views of an image, for objectives that compare them; data2vec's one view.</summary>
    public ViewSection Views { get; init; } = new();

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

/// <summary>An option that has another value in other options.</summary>
/// <param name="Key">Its full name: <c>data.batch_size</c>.</param>
/// <param name="Before">The value there, as in YAML.</param>
/// <param name="After">The value here, as in YAML.</param>
internal sealed record OptionChange(string Key, string Before, string After)
{
    /// <summary>Every option that differs, in the order of the records.</summary>
    public static IReadOnlyList<OptionChange> Between(PretrainOptions before, PretrainOptions after) =>
        [.. from section in OptionSection.All
            from key in section.Keys
            let was = OptionValue.Write(key.Get(section.Get(before)))
            let change = new OptionChange(key.FullName, was, OptionValue.Write(key.Get(section.Get(after))))
            where change.Before != change.After
            select change];

    /// <summary>As the beginning or a part of a sentence.</summary>
    public override string ToString() => $"{Key} was {Before} and is {After}";
}

/// <summary>The paths among the options, changed all alike.</summary>
internal static class OptionPaths
{
    /// <summary>With a leading <c>~/</c> made the home folder, as no shell does it in a file.</summary>
    public static PretrainOptions AtHome(PretrainOptions options) => With(options, HomePath.Expand, HomePath.Expand);

    /// <summary>Options with other paths.</summary>
    /// <param name="options">Options.</param>
    /// <param name="images">Changes what names images: a path, perhaps with more behind a '#'.</param>
    /// <param name="folder">Changes a plain path.</param>
    public static PretrainOptions With(PretrainOptions options, Func<string, string> images, Func<string, string> folder)
    {
        var data = options.Data;
        return options with
        {
            Data = data with
            {
                Path = Changed(data.Path, images),
                TestPath = Changed(data.TestPath, images),
                RootPath = Changed(data.RootPath, folder),
                ImageFolder = data.RootPath is null ? Changed(data.ImageFolder, images) : data.ImageFolder,
            },
            Distill = options.Distill with { Teacher = Changed(options.Distill.Teacher, folder) },
            Rcdm = options.Rcdm with { Weights = Changed(options.Rcdm.Weights, folder) },
            Logging = options.Logging with { Folder = Changed(options.Logging.Folder, folder) },
        };
    }

    private static string? Changed(string? path, Func<string, string> change) => string.IsNullOrWhiteSpace(path) ? path : change(path);
}

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
