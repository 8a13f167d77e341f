using System.Text;
using JepaSharp.Configuration.Rules;
using JepaSharp.Configuration.Schema;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>Options as they were read, with what was given and where; what was not given keeps its default.</summary>
/// <remarks>
/// Reading finds what is written wrongly (unknown keys, wrong types, bad YAML); <see cref="Validate"/> what cannot be meant. A command that chooses
/// defaults to suit the data reads once, looks at <see cref="GivenKeys"/>, and reads again with the chosen defaults.
/// </remarks>
public sealed class OptionsDocument
{
    private const long LargestFile = 1 << 20;

    private readonly IReadOnlyDictionary<string, OptionPlace> _places;

    private OptionsDocument(PretrainOptions options, IReadOnlyDictionary<string, OptionPlace> places) =>
        (Options, _places, GivenKeys) = (options, places, places.Keys.ToHashSet());

    /// <summary>The options: defaults, then the file, then the overrides in their order.</summary>
    public PretrainOptions Options { get; }

    /// <summary>Full names of the keys that the file or an override gave: <c>data.crop_size</c>.</summary>
    public IReadOnlySet<string> GivenKeys { get; }

    /// <summary>Reads a file and overrides. A path in it may begin with <c>~/</c>, the home folder.</summary>
    /// <param name="path">A YAML file, or null for none.</param>
    /// <param name="overrides">Each <c>section.key=value</c>, value as in YAML.</param>
    /// <param name="defaults">What keys that are not given mean; null for the defaults of the records, and of the objective where it has
    /// others.</param>
    /// <exception cref="ConfigurationException">Something is written wrongly; lists everything that is.</exception>
    /// <exception cref="JepaException">The file cannot be read.</exception>
    public static OptionsDocument Load(string? path, IEnumerable<string>? overrides = null, PretrainOptions? defaults = null)
    {
        var document = Read(path is null ? "" : TextOf(path), path, overrides, defaults);
        return new OptionsDocument(OptionPaths.AtHome(document.Options), document._places);
    }

    /// <summary>Reads YAML text and overrides.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="overrides">Each <c>section.key=value</c>, value as in YAML.</param>
    /// <param name="defaults">What keys that are not given mean; null for the defaults of the records, and of the objective where it has
    /// others.</param>
    /// <exception cref="ConfigurationException">Something is written wrongly; lists everything that is.</exception>
    public static OptionsDocument Parse(string yaml, IEnumerable<string>? overrides = null, PretrainOptions? defaults = null) =>
        Read(yaml, null, overrides, defaults);

    /// <summary>Checks the options as a whole.</summary>
    /// <exception cref="ConfigurationException">Values cannot be meant; lists every problem, with file and line where a key was given.</exception>
    public void Validate()
    {
        if (RuleProblems() is { Count: > 0 } problems) throw new ConfigurationException(problems);
    }

    private static OptionsDocument Read(string yaml, string? file, IEnumerable<string>? overrides, PretrainOptions? defaults)
    {
        var reader = new OptionsReader();
        reader.ReadFile(yaml, file);
        foreach (var assignment in overrides ?? []) reader.ReadOverride(assignment);
        defaults ??= ObjectiveDefaults.Of(new PretrainOptions(), OptionSection.With(new(), reader.Values).Meta.Objective);
        var document = new OptionsDocument(OptionSection.With(defaults, reader.Values), reader.Places);
        if (reader.Problems.Count == 0) return document;

        // One message for everything: also what is wrong with the values that could be read.
        var alsoWrong = document.RuleProblems().Where(problem => document.GivenKeys.Contains(problem.Key));
        throw new ConfigurationException([.. reader.Problems.Concat(alsoWrong).OrderBy(problem => problem.Line ?? int.MaxValue)]);
    }

    private List<ConfigurationProblem> RuleProblems() =>
        [.. OptionRules.Check(Options)
            .Select(problem => _places.TryGetValue(problem.Key, out var place) ? problem with { File = place.File, Line = place.Line } : problem)
            .OrderBy(problem => problem.Line ?? int.MaxValue)];

    private static string TextOf(string path)
    {
        try
        {
            if (Directory.Exists(path)) throw Unreadable(path, "it is a folder", null);
            if (!File.Exists(path)) throw Unreadable(path, "there is no such file", null);
            if (new FileInfo(path).Length > LargestFile) throw Unreadable(path, $"it is larger than {LargestFile >> 20} MiB", null);
            return File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, error.Message.TrimEnd('.'), error);
        }
        catch (DecoderFallbackException error)
        {
            throw Unreadable(path, "it is not text in UTF-8", error);
        }
    }

    private static JepaException Unreadable(string path, string reason, Exception? error) =>
        new(
            $"The configuration {path} cannot be read: {reason}. "
                + $"Expected a YAML file with the sections {string.Join(", ", OptionSection.All.Select(section => section.Name))}.",
            true,
            error);
}

/// <summary>A configuration cannot be used. The message lists every problem, one a line.</summary>
/// <param name="problems">At least one.</param>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationProblem> problems) : JepaException(Describe(problems), isUsage: true)
{
    /// <summary>Every problem, in the order of the file as far as it is known.</summary>
    public IReadOnlyList<ConfigurationProblem> Problems { get; } = problems;

    private static string Describe(IReadOnlyList<ConfigurationProblem> problems)
    {
        var lines = problems.Select(problem => $"  {problem}");
        return $"The configuration has {(problems.Count == 1 ? "a problem" : $"{problems.Count} problems")}:\n{string.Join('\n', lines)}";
    }
}

/// <summary>One thing that is wrong with a configuration.</summary>
/// <param name="Key">What it is about: <c>data.crop_size</c>, a section, or empty for the file as a whole.</param>
/// <param name="Found">What stands there.</param>
/// <param name="Expected">What should, and what to do.</param>
/// <param name="File">The file, or <c>--set</c> for an override; null for options made in code.</param>
/// <param name="Line">Line in the file, from 1; null where none is known.</param>
public sealed record ConfigurationProblem(string Key, string Found, string Expected, string? File = null, int? Line = null)
{
    /// <summary>The problem on one line: where, which key, found, expected.</summary>
    public override string ToString()
    {
        var where = (File, Line) switch
        {
            ({ } file, { } line) => $"{file}, line {line}: ",
            ({ } file, null) => $"{file}: ",
            _ => "",
        };
        return $"{where}{(Key.Length > 0 ? $"{Key}: " : "")}found {Found}; expected {Expected}";
    }
}
