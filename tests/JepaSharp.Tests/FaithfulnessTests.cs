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
        var lines = text.Split('\n').Where(line => Row().IsMatch(line)).ToList();
        Assert.True(lines.Count >= 17);
        Assert.All(lines.Index(), line => Assert.StartsWith($"| {line.Index + 1} |", line.Item, StringComparison.Ordinal));
        foreach (var line in lines)
        {
            var named = TestName().Matches(line).Select(match => match.Groups[1].Value).ToList();
            Assert.True(named.Count > 0, $"no test is named in: {line}");
            Assert.All(named, name => Assert.Contains(name, tests));
        }
    }

    [GeneratedRegex(@"^\| [0-9]+ \|")]
    private static partial Regex Row();

    [GeneratedRegex(@"`(\w+Tests\.\w+)`")]
    private static partial Regex TestName();
}
