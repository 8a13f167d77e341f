using System.Reflection;
using System.Text.Json;

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
