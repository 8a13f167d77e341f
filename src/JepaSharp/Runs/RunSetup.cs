using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Weights;

namespace JepaSharp.Runs;

/// <summary>Options and images of a run, put together from a file, the command line and what suits the data.</summary>
/// <param name="Options">Resolved and validated.</param>
/// <param name="Source">The images.</param>
/// <param name="Reasons">What was chosen for the data, and why; empty where a configuration file was given.</param>
public sealed record RunSetup(PretrainOptions Options, ImageSource Source, IReadOnlyList<string> Reasons)
{
    private const string Passes = "optimization.epochs";
    private static readonly TimeSpan LongestTiming = TimeSpan.FromSeconds(5);

    /// <summary>What a user should know, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Reads, chooses, overrides, validates, and opens the images.</summary>
    /// <param name="config">A YAML file; null to choose.</param>
    /// <param name="data">Images; null for those of the configuration, or the built-in scenes.</param>
    /// <param name="settings">Each <c>section.key=value</c>.</param>
    /// <param name="init">Weights to begin with; without a file, the networks follow them.</param>
    /// <param name="time">How long the run should take, where the command chooses; null for <see cref="FolderRecipe.UsualTime"/>. For images of the
    /// user's own a few steps are timed, unless <c>optimization.epochs</c> is set.</param>
    /// <param name="asPublished">Whether keys that are not given are as the objective is published, instead of chosen for the images; without a file
    /// and without <paramref name="time"/>.</param>
    /// <param name="ranks">Processes that will share the work: they divide a batch that is chosen here, and take one each of a batch that was asked
    /// for.</param>
    /// <exception cref="JepaException">Lists every problem.</exception>
    public static RunSetup Of(
        string? config, string? data, IEnumerable<string> settings, PretrainedWeights? init = null, TimeSpan? time = null,
        bool asPublished = false, int ranks = 1)
    {
        var (setup, given) = Chosen(config, data, settings, init, time, asPublished, ranks);
        if (ranks == 1) return setup;
        var (options, reason) = RankShares.Of(setup.Options, ranks, isChosen: config is null && !asPublished && !given.Overlaps(RankShares.Keys));
        options.Validate();
        return reason is null ? setup : setup with { Options = options, Reasons = [.. setup.Reasons, reason] };
    }

    private static (RunSetup Setup, IReadOnlySet<string> Given) Chosen(
        string? config, string? data, IEnumerable<string> settings, PretrainedWeights? init, TimeSpan? time, bool asPublished,
        int ranks)
    {
        List<string> overrides = [.. settings];
        if (data is not null) overrides.Add($"data.path={Quoted(data)}");
        if (config is not null)
        {
            var document = OptionsDocument.Load(config, overrides);
            document.Validate();
            DecodingBound.Megabytes = document.Options.Data.MemoryMb;
            return (new RunSetup(document.Options, document.Options.Data.OpenSource(), []), document.GivenKeys);
        }

        // Read once to learn where the images are, then again on top of what suits them.
        var reading = OptionsDocument.Parse("", overrides);
        var first = reading.Options;
        if (first.Data.MemoryMb >= DecodingBound.LeastMegabytes) DecodingBound.Megabytes = first.Data.MemoryMb;
        var isOwn = first.Data.ResolveSource() is not null;
        if (asPublished) return (AsPublished(reading, overrides, init, time), reading.GivenKeys);
        var suggested = isOwn ? SuggestFor(first) : SuggestedOptions.ForScenes();
        var isFree = isOwn && init is null && !reading.GivenKeys.Any(SaysObjective)
            && TorchBackend.ChooseDevice(first.Meta.Device).type != TorchSharp.DeviceType.CUDA;
        if (isFree) suggested = suggested with { Reasons = [FolderRecipe.ObjectiveReason, .. suggested.Reasons] };
        suggested = suggested.LearnedBy(isFree ? FolderRecipe.Objective : ObjectiveOf(reading, init));
        if (init is not null) suggested = suggested.Following(init, first.Meta.NumHeads);
        var isFixed = reading.GivenKeys.Contains(Passes);
        if (time is not null && (isFixed || !isOwn))
        {
            throw new JepaException(
                "Minutes choose how many passes a run makes, and "
                    + (isFixed ? $"{Passes} says how many" : "the run on the built-in scenes has its own")
                    + $": give one of them{(isFixed ? "" : ", or images with --data")}.",
                isUsage: true);
        }

        // Of images of one's own, the warm-up and what is looked at follow the passes, wherever those come from.
        var passes = isFixed ? first.Optimization.Epochs : FolderRecipe.MostPasses;
        var chosen = isOwn ? FolderRecipe.Making(suggested.Options, passes) : suggested.Options;
        var resolved = OptionsDocument.Parse("", overrides, chosen);
        resolved.Validate();
        List<SuggestionReason> reasons = [.. suggested.Reasons];
        if (isOwn && !isFixed)
        {
            var lasting = Lasting(resolved.Options, time ?? FolderRecipe.UsualTime, ranks);
            reasons.AddRange(lasting.Reasons);
            resolved = OptionsDocument.Parse("", overrides, lasting.Options);
            resolved.Validate();
        }

        var setup = new RunSetup(
            resolved.Options, resolved.Options.Data.OpenSource(),
            [.. reasons.Where(r => !r.Keys.Any(resolved.GivenKeys.Contains)).Select(r => r.Text)]);
        return (setup, resolved.GivenKeys);
    }

    /// <summary>What is not given is as the objective is published, whatever the images are.</summary>
    private static RunSetup AsPublished(OptionsDocument reading, List<string> overrides, PretrainedWeights? init, TimeSpan? time)
    {
        if (time is not null)
            throw new JepaException(
                "Minutes choose how many passes a run makes, and what is published has its own: give one of them.", isUsage: true);
        if (reading.Options.Data.ResolveSource() is null)
            throw new JepaException("The published recipe is one for images: give them with --data.", isUsage: true);
        var defaults = ObjectiveDefaults.Of(new PretrainOptions(), ObjectiveOf(reading, init));
        defaults = defaults with { Meta = defaults.Meta with { Objective = ObjectiveOf(reading, init) } };
        var followed = init is null ? null : new SuggestedOptions(defaults, []).Following(init, reading.Options.Meta.NumHeads);
        var resolved = OptionsDocument.Parse("", overrides, followed?.Options ?? defaults);
        resolved.Validate();
        var (options, source) = (resolved.Options, resolved.Options.Data.OpenSource());
        List<string> reasons = [.. (followed?.Reasons ?? []).Where(r => !r.Keys.Any(resolved.GivenKeys.Contains)).Select(r => r.Text)];
        reasons.Add(string.Create(CultureInfo.InvariantCulture,
            $"nothing else for these images: what is not given is as published ({options.Meta.ModelName}, crops of {options.Data.CropSize} pixels in "
                + $"{options.Mask.PatchSize}-pixel patches, {Quantity.Of(options.Optimization.Epochs, "pass", "passes")} in batches of "
                + $"{options.Data.BatchSize}; --dry-run says how long that takes here)"));
        var side = ImageSourceSummary.Of(source).MedianShorterSide;
        List<string> notes = [];
        if (side > 0 && side < options.Data.CropSize)
            notes.Add(string.Create(CultureInfo.InvariantCulture,
                $"the images' median shorter side is {side} pixels: crops of {options.Data.CropSize} enlarge them, which costs time and adds "
                    + $"nothing"));
        return new RunSetup(options, source, reasons) { Notes = notes };
    }

    /// <summary>Options that a program made, and their images.</summary>
    /// <param name="options">Not yet validated.</param>
    /// <exception cref="JepaException">Lists every problem; or the images cannot be opened.</exception>
    public static RunSetup Of(PretrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        DecodingBound.Megabytes = options.Data.MemoryMb;
        return new RunSetup(options, options.Data.OpenSource(), []);
    }

    /// <summary>Options of a run that is there, with some keys set anew.</summary>
    /// <param name="runFolder">The run.</param>
    /// <param name="settings">Each <c>section.key=value</c>.</param>
    /// <exception cref="JepaException">Lists every problem.</exception>
    public static PretrainOptions OptionsOf(string runFolder, IEnumerable<string> settings) =>
        PretrainOptions.Load(Path.Combine(runFolder, "config.yaml"), settings);

    /// <summary>Options and images of a run that goes on.</summary>
    /// <param name="runFolder">The run.</param>
    /// <param name="settings">Each <c>section.key=value</c>.</param>
    /// <param name="given">Whether they say where the images are.</param>
    /// <exception cref="JepaException">Lists every problem.</exception>
    public static RunSetup OfRun(string runFolder, IEnumerable<string> settings, bool given)
    {
        var options = OptionsOf(runFolder, settings);
        var note = given ? null : RunImages.Note(options.Data, runFolder);
        return new RunSetup(options, RunImages.Open(options.Data, runFolder, given), []) { Notes = note is null ? [] : [note] };
    }

    /// <summary>What was asked for, else what the weights were learned by, if that is known here.</summary>
    private static string ObjectiveOf(OptionsDocument asked, PretrainedWeights? init) =>
        !asked.GivenKeys.Contains("meta.objective") && init?.Objective is { } learned && KnownObjectives.Names.Contains(learned)
            ? learned
            : asked.Options.Meta.Objective;

    /// <summary>Whether a key names an objective, or means something to one alone: then none is chosen.</summary>
    private static bool SaysObjective(string key) =>
        key is "meta.objective" or "optimization.loss" || key.StartsWith("meta.pred_", StringComparison.Ordinal)
        || (key.StartsWith("mask.", StringComparison.Ordinal) && key != "mask.patch_size")
        || KnownObjectives.Names.Any(name => key.StartsWith(name + ".", StringComparison.Ordinal));

    private static SuggestedOptions SuggestFor(PretrainOptions options)
    {
        using var source = options.Data.OpenSource();
        var summary = ImageSourceSummary.Of(source);
        if (summary.MedianShorterSide == 0)
            throw new JepaException(
                string.Create(CultureInfo.InvariantCulture,
                    $"None of {Quantity.Of(summary.Sampled, "image")} looked at in {source.Description} can be read; the first: "
                        + $"{summary.Unreadable[0].Message}"),
                isUsage: true);
        return FolderRecipe.For(
            summary, side => PixelStatistics.Of(source, side), TorchBackend.ChooseDevice(options.Meta.Device).type == TorchSharp.DeviceType.CUDA);
    }

    /// <summary>Times a few steps, of which several processes take each a part. A process that takes no more than a few is not made to take many for
    /// it.</summary>
    private static SuggestedOptions Lasting(PretrainOptions options, TimeSpan time, int ranks)
    {
        using var source = options.Data.OpenSource();
        var share = options.Optimization.MaxSteps is null ? LongestTiming : TimeSpan.Zero;
        return FolderRecipe.Lasting(options, source.Count, StepTime.Of(options, source, share, CancellationToken.None) / ranks, time);
    }

    /// <summary>A path as a YAML scalar, whatever characters it has.</summary>
    public static string Quoted(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";
}

/// <summary>Opens the images that a run's own configuration names.</summary>
internal static class RunImages
{
    /// <summary>Opens them; where they are not there, says where the path comes from.</summary>
    /// <param name="data">The images' part of the configuration.</param>
    /// <param name="runFolder">The run.</param>
    /// <param name="given">Whether the path was given on the command line instead.</param>
    /// <exception cref="JepaException">They cannot be opened.</exception>
    public static ImageSource Open(DataOptions data, string runFolder, bool given)
    {
        try
        {
            return data.OpenSource();
        }
        catch (JepaException e) when (!given)
        {
            var config = Path.Combine(Path.GetFullPath(runFolder), "config.yaml");
            throw new JepaException(
                $"{e.Message} The path comes from {config}; if the images have moved, say where they are now with --data.", e.IsUsage, e);
        }
    }

    /// <summary>
    /// A relative path in a run's configuration, which an earlier version or a person wrote, is taken from the current folder; null where there
    /// is none.
    /// </summary>
    public static string? Note(DataOptions data, string runFolder) => data.ResolveSource() is { } path && SourceAddressIsRelative(path)
        ? $"data.path in {Path.Combine(runFolder, "config.yaml")} is relative, and taken from the current folder: {Path.GetFullPath(path)}"
        : null;

    private static bool SourceAddressIsRelative(string path) => !Path.IsPathRooted(path) && !path.StartsWith("scenes:", StringComparison.Ordinal);
}
