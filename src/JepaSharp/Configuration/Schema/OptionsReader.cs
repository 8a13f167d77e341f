using JepaSharp.Configuration.Yaml;
using YamlDotNet.Core;

namespace JepaSharp.Configuration.Schema;

/// <summary>Gathers values, and everything that is wrong with how they are written, from a file and from overrides; later ones win.</summary>
internal sealed class OptionsReader
{
    private readonly Dictionary<string, object?> _values = [];
    private readonly Dictionary<string, OptionPlace> _places = [];
    private readonly List<ConfigurationProblem> _problems = [];

    /// <summary>Values by full key, as far as they could be read.</summary>
    public IReadOnlyDictionary<string, object?> Values => _values;

    /// <summary>Where each value was given.</summary>
    public IReadOnlyDictionary<string, OptionPlace> Places => _places;

    public IReadOnlyList<ConfigurationProblem> Problems => _problems;

    /// <summary>Reads a whole file's text.</summary>
    public void ReadFile(string text, string? file)
    {
        try
        {
            ReadRoot(YamlTree.Parse(text), file);
        }
        catch (YamlException error)
        {
            var cause = error.Message.TrimEnd('.');
            var found = $"text that is not YAML (column {error.Start.Column}: {char.ToLowerInvariant(cause[0])}{cause[1..]})";
            _problems.Add(new("", found, "YAML: sections with keys indented below them, no tabs", file, (int)error.Start.Line));
        }
    }

    /// <summary>Reads one <c>section.key=value</c>.</summary>
    public void ReadOverride(string assignment)
    {
        const string source = "--set";
        if (assignment.Split('=', 2) is not [var name, var text] || name.Trim().Split('.') is not [var sectionName, var keyName])
        {
            var meant = assignment.Split('=', 2)[0].Trim();
            _problems.Add(new("", assignment, $"section.key=value, such as {UnknownName.Suggest(meant) ?? "optimization.lr"}=...", source));
            return;
        }
        if (FindKey(sectionName, keyName, source, null) is not { } key) return;
        try
        {
            var node = key.ValueType == typeof(string) ? OverrideText(text.Trim()) : YamlTree.Parse(text);
            ReadValue(key, node with { Line = 0 }, source);
        }
        catch (YamlException)
        {
            _problems.Add(new(key.FullName, text.Trim(), key.Expected, source));
        }
    }

    // A path may hold what YAML has a meaning for: it is taken as it stands, unless it is quoted.
    private static YamlNode OverrideText(string text) => text is ['"' or '\'', ..] ? YamlTree.Parse(text) : new YamlScalar(text, true, 0);

    private void ReadRoot(YamlNode root, string? file)
    {
        if (root is YamlScalar { IsNull: true }) return;
        if (root is not YamlMap sections)
        {
            _problems.Add(new("", root.Describe(), $"the sections {SectionNames}", file, root.Line));
            return;
        }
        var seen = new Dictionary<string, int>();
        foreach (var (name, content) in sections.Entries)
        {
            if (IsRepeated(seen, name.Text, name, file)) continue;
            if (OptionSection.Find(name.Text) is { } section) ReadSection(section, content, file);
            else _problems.Add(UnknownName.Section(name.Text, file, name.Line));
        }
    }

    private void ReadSection(OptionSection section, YamlNode content, string? file)
    {
        if (content is YamlScalar { IsNull: true }) return;
        if (content is not YamlMap keys)
        {
            _problems.Add(new(section.Name, content.Describe(), $"keys with values, such as {section.Keys[0].Name}: ...", file, content.Line));
            return;
        }
        var seen = new Dictionary<string, int>();
        foreach (var (name, value) in keys.Entries)
        {
            if (!IsRepeated(seen, $"{section.Name}.{name.Text}", name, file) && FindKey(section.Name, name.Text, file, name.Line) is { } key)
                ReadValue(key, value, file);
        }
    }

    private void ReadValue(OptionKey key, YamlNode node, string? source)
    {
        var place = new OptionPlace(source, node.Line > 0 ? node.Line : null);
        if (!OptionValue.TryRead(node, key, out var value))
        {
            _problems.Add(new(key.FullName, node.Describe(), key.Expected, place.File, place.Line));
            return;
        }
        _values[key.FullName] = value;
        _places[key.FullName] = place;
    }

    private bool IsRepeated(Dictionary<string, int> seen, string fullName, YamlScalar name, string? file)
    {
        if (seen.TryAdd(fullName, name.Line)) return false;
        _problems.Add(new(fullName, $"a second time (first on line {seen[fullName]})", "each name once", file, name.Line));
        return true;
    }

    private OptionKey? FindKey(string sectionName, string keyName, string? file, int? line)
    {
        if (OptionSection.Find(sectionName) is not { } section)
        {
            _problems.Add(UnknownName.Section(sectionName, file, line, keyName));
            return null;
        }
        var key = section.FindKey(keyName);
        if (key is null) _problems.Add(UnknownName.Key(section, keyName, file, line));
        return key;
    }

    private static string SectionNames => string.Join(", ", OptionSection.All.Select(section => section.Name));
}

/// <summary>Where a value was given: a file and a line, or <c>--set</c> and none.</summary>
internal readonly record struct OptionPlace(string? File, int? Line);
