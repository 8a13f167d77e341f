using CsCheck;
using JepaSharp.Configuration;
using JepaSharp.Configuration.Schema;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Configuration;

/// <summary>Any options at all, sensible or not: what must round-trip is the type, not the taste.</summary>
internal static class OptionGenerators
{
    private static readonly Gen<double> Real = Gen.OneOf<double>(
        Gen.Double[-1, 1], Gen.Double[-1e300, 1e300], Gen.Double[1e-320, 1e-300],
        Gen.OneOf(0.0, -0.0, 1.0, 1e-6, 1e-8, 0.1 + 0.2, 1e16, 123456789012345680.0, double.Epsilon, double.MaxValue));

    private static readonly Gen<string> Text = Gen.OneOf<string>(
        Gen.Char["\0\a\t\n\r \"'\\#:,-[]{}&*!|>%@`?~/._0159azAZ=\u0085\u00A0\u2028\uFEFFäß象"].Array[0, 20].Select(letters => new string(letters)),
        Gen.OneOf("", " ", "null", "~", "true", "No", "1", "1e-6", ".inf", "- a", "a: b", "a #b", "C:\\images", "/data/a b", "象/🙂.png", "'", "\"",
            "=", "<<"));

    public static Gen<PretrainOptions> Options { get; } =
        Sections([.. OptionSection.All.SelectMany(section => section.Keys)]);

    public static Gen<object?> Value(OptionKey key)
    {
        var value = key.ValueType switch
        {
            var type when type == typeof(bool) => Gen.Bool.Select(x => (object?)x),
            var type when type == typeof(int) => Gen.OneOf<int>(Gen.Int, Gen.Int[0, 20]).Select(x => (object?)x),
            var type when type == typeof(double) => Real.Select(x => (object?)x),
            var type when type == typeof(string) => Text.Select(x => (object?)x),
            var type when type == typeof(Interval) => Real.Select(Real, (a, b) => (object?)new Interval(a, b)),
            var type when type == typeof(MomentumRange) => Real.Select(Real, (a, b) => (object?)new MomentumRange(a, b)),
            var type when type == typeof(ChancePair) => Real.Select(Real, (a, b) => (object?)new ChancePair(a, b)),
            var type when type == typeof(ChannelTriple) => Real.Select(Real, Real, (a, b, c) => (object?)new ChannelTriple(a, b, c)),
            { IsEnum: true } type => Gen.Int[0, Enum.GetValues(type).Length - 1].Select(x => Enum.GetValues(type).GetValue(x)),
            var type => throw new NotSupportedException(type.Name),
        };
        return key.IsNullable ? Gen.OneOf<object?>(value, Gen.Const((object?)null)) : value;
    }

    private static Gen<PretrainOptions> Sections(OptionKey[] keys) =>
        keys.Aggregate(
            Gen.Const(new Dictionary<string, object?>()),
            (soFar, key) => soFar.Select(Value(key), (values, value) => new Dictionary<string, object?>(values) { [key.FullName] = value }))
        .Select(values => OptionSection.With(new PretrainOptions(), values));
}
