using JepaSharp.Configuration.Schema;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration.Rules;

/// <summary>Collects what does not hold, and goes on.</summary>
internal sealed class RuleChecks
{
    private readonly List<ConfigurationProblem> _problems = [];

    public IReadOnlyList<ConfigurationProblem> Problems => _problems;

    /// <summary>Notes a problem unless <paramref name="holds"/>; <paramref name="found"/> is a value of an option.</summary>
    public void Require(bool holds, string key, object? found, string expected)
    {
        if (!holds) Report(key, OptionValue.Write(found), expected);
    }

    public void Report(string key, string found, string expected) => _problems.Add(new(key, found, expected));

    public void AtLeast(int least, int? value, string key) => Require(value is null || value >= least, key, value, $"{least} or more");

    public void NotEmpty(string? text, string key) =>
        Require(text is null || !string.IsNullOrWhiteSpace(text), key, text, "a name, or null for none");

    /// <summary>Both ends in (0, <paramref name="most"/>], the low one first.</summary>
    public void Range(Interval range, double most, string key)
    {
        var bound = double.IsFinite(most) ? $"in (0, {most}]" : "above 0";
        var holds = range.Low > 0 && range.High <= most && range.Low <= range.High && double.IsFinite(range.High);
        Require(holds, key, range, $"[low, high] with low <= high, both {bound}");
    }
}
