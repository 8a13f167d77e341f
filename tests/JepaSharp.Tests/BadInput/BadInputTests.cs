using JepaSharp.Cli;
using JepaSharp.Cli.Display;

namespace JepaSharp.Tests.BadInput;

/// <summary>Every mistake in the table ends in one plain message and the right exit code, and touches none of the user's files.</summary>
public sealed class BadInputTests
{
    private static readonly Dictionary<string, BadCase> Cases =
        new[] { CommandLineCases.All, ConfigurationCases.All, DataCases.All, WeightsCases.All }.SelectMany(c => c).ToDictionary(c => c.Name);

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Fact]
    public void Table_HasAsManyCasesAsPromised() => Assert.InRange(Cases.Count, 150, int.MaxValue);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Mistake_OfAUser_IsOnePlainMessageAndTheRightCode(string name)
    {
        var bad = Cases[name];
        using var folder = new TemporaryFolder();
        bad.Arrange?.Invoke(folder.Path);
        var before = Contents(folder.Path);
        var (output, error) = (new StringWriter(), new StringWriter());
        using var stop = new StopSignals(_ => { });
        var code = await Task.Run(
            () => CommandLine.Run(bad.Arguments(folder.Path), new Terminal(output, error), stop), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken); // a hang is a failure
        var said = error.ToString();
        Assert.True(bad.Code == code, $"exit code {code}: {said}{output}");
        Assert.Contains(bad.Says.Replace("DIR", folder.Path, StringComparison.Ordinal), said, StringComparison.OrdinalIgnoreCase);
        Assert.Single(said.Split('\n'), line => line.StartsWith("jepa: ", StringComparison.Ordinal));
        Assert.DoesNotContain("internal error", said, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
        var after = Contents(folder.Path);
        Assert.All(before, file => Assert.Equal(file.Value, after[file.Key]));
    }

    private static Dictionary<string, string> Contents(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .Where(f => Path.GetFileName(f) != ".lock")
        .ToDictionary(f => f, f => Convert.ToHexString(File.ReadAllBytes(f)));
}
