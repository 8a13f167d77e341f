using System.Text;
using System.Text.RegularExpressions;
using JepaSharp.Configuration.Yaml;
using JepaSharp.Runtime;
using YamlDotNet.Core;

namespace JepaSharp.Studies;

/// <summary>Turns a study's file into a <see cref="Study"/>, and gathers everything that is wrong with how it is written.</summary>
internal sealed partial class StudyReader
{
    private const long LargestFile = 1 << 20;
    private static readonly string[] Keys = ["base", "data", "seeds", "budget", "variants", "evaluate"];

    private readonly StudyNodes _nodes;

    private StudyReader(string file) => _nodes = new StudyNodes(file);

    public static Study Read(string path)
    {
        var full = Path.GetFullPath(HomePath.Expand(path));
        var reader = new StudyReader(path);
        var study = reader.Of(TextOf(full, path), full);
        return study is not null && reader._nodes.Problems.Count == 0
            ? study
            : throw new StudyException([.. reader._nodes.Problems.OrderBy(p => p.Line ?? int.MaxValue).Select(p => p.ToString())]);
    }

    private Study? Of(string text, string full)
    {
        YamlNode root;
        try
        {
            root = YamlTree.Parse(text);
        }
        catch (YamlException e)
        {
            var cause = e.Message.TrimEnd('.');
            _nodes.Add("", $"text that is not YAML (column {e.Start.Column}: {cause})", "YAML: keys, with what belongs to them indented, no tabs",
                (int)e.Start.Line);
            return null;
        }

        var fields = _nodes.Fields("", root, Keys);
        if (fields is null) return null;
        var evaluations = _nodes.List("evaluate", fields, 1, (node, name) => StudyTasks.Read(_nodes, name, node)).OfType<StudyEvaluation>().ToList();
        foreach (var same in evaluations.GroupBy(e => e.Name).Where(g => g.Count() > 1))
            _nodes.Add("evaluate", $"{same.Count()} evaluations called {same.Key}", "a name of its own for each: name: ...", fields["evaluate"].Line);
        return new Study
        {
            Path = full,
            Base = _nodes.Text("base", fields, isRequired: true) is { } given ? Path.GetFullPath(HomePath.Expand(given),
                Path.GetDirectoryName(full)!) : "",
            Data = _nodes.Text("data", fields),
            Seeds = Seeds(fields),
            Budget = Budget(fields),
            Variants = Variants(fields),
            Evaluations = evaluations,
        };
    }

    private List<int> Seeds(IReadOnlyDictionary<string, YamlNode> fields)
    {
        var seeds = _nodes.List("seeds", fields, 1, (node, name) => _nodes.Whole(name, node, least: 0)).OfType<int>().ToList();
        foreach (var seed in seeds.GroupBy(s => s).Where(g => g.Count() > 1).Select(g => g.Key))
            _nodes.Add("seeds", $"{seed} more than once", "each seed once: the same seed is the same run", fields["seeds"].Line);
        return seeds;
    }

    private StudyBudget Budget(IReadOnlyDictionary<string, YamlNode> fields)
    {
        const string expected = "one of steps, images, operations or minutes, such as {minutes: 12}";
        var nothing = new StudyBudget(BudgetUnit.Steps, 1);
        if (!fields.TryGetValue("budget", out var node))
        {
            _nodes.Add("budget", "nothing", expected, null);
            return nothing;
        }

        string[] units = [.. Enum.GetNames<BudgetUnit>().Select(n => n.ToLowerInvariant())];
        if (_nodes.Fields("budget", node, units) is not { } given) return nothing;
        if (given.Count != 1)
        {
            _nodes.Add("budget", given.Count == 0 ? "nothing" : string.Join(" and ", given.Keys), expected, node.Line);
            return nothing;
        }

        var (unit, value) = (Enum.Parse<BudgetUnit>(given.Keys.Single(), ignoreCase: true), given.Values.Single());
        var amount = unit is BudgetUnit.Steps or BudgetUnit.Images
            ? _nodes.Whole($"budget.{given.Keys.Single()}", value, least: 1)
            : _nodes.Positive($"budget.{given.Keys.Single()}", value);
        return amount is { } number ? new StudyBudget(unit, number) : nothing;
    }

    private List<StudyVariant> Variants(IReadOnlyDictionary<string, YamlNode> fields)
    {
        const string expected = "names, each with the configuration keys that it changes, such as small-batch: {data.batch_size: 64}";
        if (!fields.TryGetValue("variants", out var node) || node is not YamlMap { Entries.Count: > 0 } map)
        {
            _nodes.Add("variants", node is null or YamlMap ? "nothing" : node.Describe(), expected, node?.Line);
            return [];
        }

        var variants = new List<StudyVariant>();
        foreach (var (key, value) in map.Entries)
        {
            var name = key.Text;
            var isBaseline = name.StartsWith(Study.Untrained, StringComparison.OrdinalIgnoreCase);
            if (!FileName().IsMatch(name) || isBaseline)
                _nodes.Add($"variants.{name}", isBaseline ? "a name that begins as the baseline's" : "a name that files cannot be called after",
                    "letters, digits, dots, dashes and underscores, beginning with a letter or a digit", key.Line);
            if (variants.Exists(v => string.Equals(v.Name, name, StringComparison.OrdinalIgnoreCase)))
                _nodes.Add($"variants.{name}", "a second variant of this name", "each name once", key.Line);
            variants.Add(new StudyVariant(name, Settings($"variants.{name}", value)));
        }

        return variants;
    }

    /// <summary>Keys with dots, or sections with keys of their own below them.</summary>
    private List<string> Settings(string name, YamlNode node)
    {
        if (node is YamlScalar { IsNull: true }) return [];
        if (node is not YamlMap map)
        {
            _nodes.Add(name, node.Describe(), "configuration keys with values, or {} for none", node.Line);
            return [];
        }

        return [.. map.Entries.SelectMany(entry => entry.Value is YamlMap section
            ? section.Entries.Select(inner => $"{entry.Key.Text}.{inner.Key.Text}={YamlOf(inner.Value)}")
            : [$"{entry.Key.Text}={YamlOf(entry.Value)}"])];
    }

    private static string YamlOf(YamlNode node) => node switch
    {
        YamlScalar { IsPlain: true } scalar => scalar.Text,
        YamlScalar scalar => $"'{scalar.Text.Replace("'", "''", StringComparison.Ordinal)}'",
        YamlList list => $"[{string.Join(", ", list.Items.Select(YamlOf))}]",
        _ => "{}",
    };

    private static string TextOf(string full, string given)
    {
        try
        {
            if (Directory.Exists(full)) throw Unreadable(given, "it is a folder", null);
            if (!File.Exists(full)) throw Unreadable(given, "there is no such file", null);
            if (new FileInfo(full).Length > LargestFile) throw Unreadable(given, $"it is larger than {LargestFile >> 20} MiB", null);
            return File.ReadAllText(full, new UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw Unreadable(given, e is DecoderFallbackException ? "it is not text in UTF-8" : e.Message.TrimEnd('.'), e);
        }
    }

    private static JepaException Unreadable(string path, string reason, Exception? error) =>
        new($"The study {path} cannot be read: {reason}. Expected a YAML file with the keys {string.Join(", ", Keys)}.", true, error);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z")]
    private static partial Regex FileName();
}
