using System.Globalization;
using System.Text.Json;
using JepaSharp.Configuration.Yaml;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration.Schema;

/// <summary>Values as YAML writes them: from a node to a typed value and, in one spelling that reads back as the same value, out again.</summary>
/// <remarks>
/// The culture of the machine has no say. Numbers may be written as YAML 1.1 has them and as people write them (<c>1.0e-06</c>, <c>1e-6</c>);
/// what is written out, PyYAML reads as a number too, which wants a point and a sign in <c>1.0e-06</c>.
/// </remarks>
internal static class OptionValue
{
    private const NumberStyles RealNumber =
        NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>What may be written for a type, in words.</summary>
    public static string Expected(Type type) => type switch
    {
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(int) => "a whole number",
        _ when type == typeof(double) => "a number",
        _ when type == typeof(string) => "text",
        _ when type == typeof(Interval) => "two numbers, [low, high]",
        _ when type == typeof(MomentumRange) => "two numbers, [start, end]",
        _ when type == typeof(ChancePair) => "two numbers, [first, others]",
        _ when type == typeof(ChannelTriple) => "three numbers, [red, green, blue]",
        _ when type.IsEnum => $"one of {string.Join(", ", Enum.GetNames(type).Select(Snake))}",
        _ => throw new NotSupportedException($"{type} is not a type of an option."),
    };

    /// <summary>Reads a node as a value of a type; false where it is written as something else.</summary>
    public static bool TryRead(YamlNode node, OptionKey key, out object? value)
    {
        value = null;
        if (node is YamlScalar { IsNull: true }) return key.IsNullable;
        value = (node, key.ValueType) switch
        {
            (YamlScalar scalar, var type) when type == typeof(string) => scalar.Text,
            (YamlScalar { IsPlain: true } scalar, var type) when type == typeof(bool) => Truth(scalar.Text),
            (YamlScalar { IsPlain: true } scalar, var type) when type == typeof(int) => Whole(scalar.Text),
            (YamlScalar { IsPlain: true } scalar, var type) when type == typeof(double) => Real(scalar.Text),
            (YamlScalar scalar, { IsEnum: true } type) => Choice(scalar.Text, type),
            (YamlList list, var type) => (Numbers(list), type) switch
            {
                ([var low, var high], _) when type == typeof(Interval) => new Interval(low, high),
                ([var start, var end], _) when type == typeof(MomentumRange) => new MomentumRange(start, end),
                ([var first, var others], _) when type == typeof(ChancePair) => new ChancePair(first, others),
                ([var red, var green, var blue], _) when type == typeof(ChannelTriple) => new ChannelTriple(red, green, blue),
                _ => null,
            },
            _ => null,
        };
        return value is not null;
    }

    /// <summary>A value as YAML.</summary>
    public static string Write(object? value) => value switch
    {
        null => "null",
        bool truth => truth ? "true" : "false",
        int whole => whole.ToString(CultureInfo.InvariantCulture),
        double real => Write(real),
        string text => YamlText.Write(text),
        Interval range => $"[{Write(range.Low)}, {Write(range.High)}]",
        MomentumRange range => $"[{Write(range.Start)}, {Write(range.End)}]",
        ChancePair pair => $"[{Write(pair.First)}, {Write(pair.Others)}]",
        ChannelTriple triple => $"[{Write(triple.Red)}, {Write(triple.Green)}, {Write(triple.Blue)}]",
        Enum choice => Snake(choice.ToString()),
        _ => throw new NotSupportedException($"{value.GetType()} is not a type of an option."),
    };

    private static string Write(double value)
    {
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        var exponent = shortest.IndexOf('E', StringComparison.Ordinal);
        var (digits, power) = exponent < 0 ? (shortest, "") : (shortest[..exponent], $"e{shortest[(exponent + 1)..]}");
        return digits.Contains('.', StringComparison.Ordinal) || !double.IsFinite(value) ? digits + power : $"{digits}.0{power}";
    }

    private static bool? Truth(string text) => text.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" => true,
        "false" or "no" or "off" => false,
        _ => null,
    };

    // 010 is eight in YAML 1.1 and ten in YAML 1.2: neither, then.
    private static int? Whole(string text)
    {
        if (text.TrimStart('+', '-') is ['0', _, ..]) return null;
        return int.TryParse(Ungrouped(text), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private static double? Real(string text) =>
        double.TryParse(Ungrouped(text), RealNumber, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    private static double[]? Numbers(YamlList list)
    {
        var numbers = list.Items.Select(item => item is YamlScalar { IsPlain: true } scalar ? Real(scalar.Text) : null).OfType<double>().ToArray();
        return numbers.Length == list.Items.Count ? numbers : null;
    }

    // multi-block is as good as multi_block.
    private static object? Choice(string text, Type type) =>
        Enum.GetNames(type).FirstOrDefault(name => Snake(name) == text.Replace('-', '_')) is { } found ? Enum.Parse(type, found) : null;

    // YAML 1.1 lets digits be grouped: 1_281_167.
    private static string Ungrouped(string text) =>
        text.StartsWith('_') || text.EndsWith('_') ? text : text.Replace("_", "", StringComparison.Ordinal);

    private static string Snake(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
