using System.Reflection;
using System.Text;
using System.Text.Json;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration.Schema;

/// <summary>One section of the configuration, with its keys in the order of the record's properties.</summary>
internal sealed class OptionSection
{
    private readonly PropertyInfo _property;

    private OptionSection(PropertyInfo property)
    {
        _property = property;
        Name = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
        Keys = [.. Settable(property.PropertyType).Select(key => new OptionKey(Name, key))];
    }

    /// <summary>Every section, in the order of <see cref="PretrainOptions"/>.</summary>
    public static IReadOnlyList<OptionSection> All { get; } = [.. Settable(typeof(PretrainOptions)).Select(property => new OptionSection(property))];

    /// <summary>For example <c>data</c>.</summary>
    public string Name { get; }

    public IReadOnlyList<OptionKey> Keys { get; }

    public static OptionSection? Find(string name) => All.FirstOrDefault(section => section.Name == name);

    public OptionKey? FindKey(string name) => Keys.FirstOrDefault(key => key.Name == name);

    public object Get(PretrainOptions options) => _property.GetValue(options)!;

    /// <summary>A copy of options where the keys named in <paramref name="values"/> have new values; the others keep theirs.</summary>
    public static PretrainOptions With(PretrainOptions options, IReadOnlyDictionary<string, object?> values)
    {
        var changed = new PretrainOptions();
        foreach (var section in All)
        {
            var before = section.Get(options);
            var after = Activator.CreateInstance(before.GetType())!;
            foreach (var key in section.Keys)
                key.Set(after, values.TryGetValue(key.FullName, out var value) ? value : key.Get(before));
            section._property.SetValue(changed, after);
        }
        return changed;
    }

    private static IEnumerable<PropertyInfo> Settable(Type record) =>
        record.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite)
            .OrderBy(property => property.MetadataToken);
}

/// <summary>Options as a complete YAML document: sections and keys in the order of the records, line feeds on every machine.</summary>
internal static class OptionsWriter
{
    public static string Write(PretrainOptions options)
    {
        var yaml = new StringBuilder();
        foreach (var section in OptionSection.All)
        {
            yaml.Append(section.Name).Append(":\n");
            var values = section.Get(options);
            foreach (var key in section.Keys)
                yaml.Append("  ").Append(key.Name).Append(": ").Append(OptionValue.Write(key.Get(values))).Append('\n');
        }
        return yaml.ToString();
    }
}

/// <summary>One key of the configuration: a property of a section's record, under its name in snake case.</summary>
internal sealed class OptionKey
{
    private readonly PropertyInfo _property;

    public OptionKey(string section, PropertyInfo property)
    {
        _property = property;
        Name = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
        FullName = $"{section}.{Name}";
        var underlying = Nullable.GetUnderlyingType(property.PropertyType);
        ValueType = underlying ?? property.PropertyType;
        IsNullable = underlying is not null || new NullabilityInfoContext().Create(property).ReadState == NullabilityState.Nullable;
    }

    /// <summary>For example <c>crop_size</c>.</summary>
    public string Name { get; }

    /// <summary>For example <c>data.crop_size</c>.</summary>
    public string FullName { get; }

    /// <summary>The property's type, without the question mark.</summary>
    public Type ValueType { get; }

    /// <summary>True where null is a value.</summary>
    public bool IsNullable { get; }

    /// <summary>What may be written, in words.</summary>
    public string Expected => OptionValue.Expected(ValueType) + (IsNullable ? ", or null" : "");

    public object? Get(object section) => _property.GetValue(section);

    /// <summary>Sets the value in a record that nobody else has seen yet.</summary>
    public void Set(object freshSection, object? value) => _property.SetValue(freshSection, value);
}

/// <summary>Problems for sections and keys that do not exist, each with the name that was probably meant.</summary>
internal static class UnknownName
{
    public static ConfigurationProblem Section(string written, string? file, int? line, string? key = null)
    {
        var names = OptionSection.All.Select(section => section.Name).ToArray();
        var full = key is null ? written : $"{written}.{key}";
        var expected = NearestName.Of(written, names) switch
        {
            { } near => $"{(key is null ? near : $"{near}.{key}")}, perhaps",
            null when Suggest(full) is { } elsewhere => $"{elsewhere}, perhaps",
            null => $"one of the sections {string.Join(", ", names)}",
        };
        return new(full, "an unknown section", expected, file, line);
    }

    public static ConfigurationProblem Key(OptionSection section, string written, string? file, int? line)
    {
        var full = $"{section.Name}.{written}";
        var known = string.Join(", ", section.Keys.Select(key => key.Name));
        var expected = Suggest(written, section) is { } near ? $"{near}, perhaps" : $"one of {known}";
        return new(full, "an unknown key", expected, file, line);
    }

    /// <summary>The key that was probably meant, with its section: the same elsewhere, else the nearest here, else the nearest anywhere.</summary>
    public static string? Suggest(string written, OptionSection? here = null)
    {
        var name = written.Split('.')[^1];
        var everywhere = OptionSection.All.SelectMany(section => section.Keys).ToArray();
        var same = everywhere.FirstOrDefault(key => key.Name == name);
        return same?.FullName ?? Nearest(name, here?.Keys ?? []) ?? Nearest(name, everywhere);
    }

    private static string? Nearest(string written, IReadOnlyList<OptionKey> keys)
    {
        var near = NearestName.Of(written, keys.Select(key => key.Name));
        return keys.FirstOrDefault(key => key.Name == near)?.FullName;
    }
}
