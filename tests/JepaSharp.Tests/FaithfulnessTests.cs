using System.Reflection;
using System.Text.RegularExpressions;

namespace JepaSharp.Tests;

/// <summary>The ledger in docs/faithfulness.md against the tests that it names.</summary>
public sealed partial class FaithfulnessTests
{
    [Fact]
    public void Ledger_NamesTestsThatExist()
    {
        var text = File.ReadAllText(Path.Combine(ArchitectureTests.RepositoryRoot(), "docs", "faithfulness.md"));
        var tests = typeof(FaithfulnessTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Where(method => method.GetCustomAttribute<FactAttribute>() is not null).Select(
                method => $"{type.Name}.{method.Name}"))
            .ToHashSet(StringComparer.Ordinal);
        var lines =
            Enumerable.Range(1, 17).Select(n => text.Split('\n').Single(line => line.StartsWith($"| {n} |", StringComparison.Ordinal))).ToList();
        foreach (var line in lines)
        {
            var named = TestName().Matches(line).Select(match => match.Groups[1].Value).ToList();
            Assert.True(named.Count > 0, $"no test is named in: {line}");
            Assert.All(named, name => Assert.Contains(name, tests));
        }
    }

    [GeneratedRegex(@"`(\w+Tests\.\w+)`")]
    private static partial Regex TestName();
}
