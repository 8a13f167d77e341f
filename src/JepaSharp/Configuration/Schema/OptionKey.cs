using System.Reflection;
using System.Text.Json;

namespace JepaSharp.Configuration.Schema;

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
