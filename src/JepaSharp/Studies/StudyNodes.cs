using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Configuration.Yaml;
using JepaSharp.Runtime;

namespace JepaSharp.Studies;

/// <summary>Reads values of a study's file in the types that they are meant in; what is none becomes a problem with its line.</summary>
/// <param name="file">The file, as it was given.</param>
internal sealed class StudyNodes(string file)
{
    private readonly List<ConfigurationProblem> _problems = [];

    public IReadOnlyList<ConfigurationProblem> Problems => _problems;

    public void Add(string key, string found, string expected, int? line) => _problems.Add(new(key, found, expected, file, line));

    /// <summary>The keys below a node, each known and there once; null where it has none.</summary>
    /// <param name="name">What the node is called; empty for the whole file.</param>
    /// <param name="node">The node.</param>
    /// <param name="known">Every key that may be there.</param>
    public IReadOnlyDictionary<string, YamlNode>? Fields(string name, YamlNode node, IReadOnlyList<string> known)
    {
        var keys = string.Join(", ", known);
        if (node is not YamlMap map)
        {
            Add(name, node.Describe(), $"the keys {keys}", node.Line);
            return null;
        }

        var fields = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Entries)
        {
            var full = name.Length == 0 ? key.Text : $"{name}.{key.Text}";
            if (!known.Contains(key.Text))
                Add(full, "an unknown key", NearestName.Of(key.Text, known) is { } near ? $"{near}, perhaps" : $"one of {keys}", key.Line);
            else if (!fields.TryAdd(key.Text, value)) Add(full, "a second time", "each key once", key.Line);
        }

        return fields;
    }

    /// <summary>What stands in a list, as far as it can be read.</summary>
    public IEnumerable<T?> List<T>(string name, IReadOnlyDictionary<string, YamlNode> fields, int least, Func<YamlNode, string, T?> read)
    {
        if (!fields.TryGetValue(name, out var node) || node is not YamlList list)
        {
            Add(name, node?.Describe() ?? "nothing", "a list", node?.Line);
            return [];
        }

        if (list.Items.Count < least) Add(name, "an empty list", $"at least {least}", node.Line);
        return [.. list.Items.Select((item, i) => read(item, $"{name}[{i}]"))];
    }

    /// <summary>A text; null where there is none.</summary>
    public string? Text(string name, IReadOnlyDictionary<string, YamlNode> fields, bool isRequired = false, string prefix = "")
    {
        if (!fields.TryGetValue(name, out var node))
        {
            if (isRequired) Add(prefix + name, "nothing", "a text", null);
            return null;
        }

        if (node is YamlScalar { IsNull: false, Text: { Length: > 0 } text }) return text;
        Add(prefix + name, node.Describe(), "a text", node.Line);
        return null;
    }

    /// <summary>A whole number of at least <paramref name="least"/>; null where it is none.</summary>
    public int? Whole(string name, YamlNode node, int least)
    {
        if (node is YamlScalar { IsPlain: true } scalar
            && int.TryParse(scalar.Text.Replace("_", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value >= least) return value;
        Add(name, node.Describe(), FormattableString.Invariant($"a whole number from {least} to {int.MaxValue:n0}"), node.Line);
        return null;
    }

    /// <summary>The same of a key that may be missing.</summary>
    public int? Whole(string name, IReadOnlyDictionary<string, YamlNode> fields, int least, string prefix) =>
        fields.TryGetValue(name, out var node) ? Whole(prefix + name, node, least) : null;

    /// <summary>A finite number above 0; null where it is none.</summary>
    public double? Positive(string name, YamlNode node)
    {
        const NumberStyles real = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (node is YamlScalar { IsPlain: true } scalar
            && double.TryParse(scalar.Text.Replace("_", "", StringComparison.Ordinal), real, CultureInfo.InvariantCulture, out var value)
            && double.IsFinite(value) && value > 0) return value;
        Add(name, node.Describe(), "a number above 0", node.Line);
        return null;
    }
}
