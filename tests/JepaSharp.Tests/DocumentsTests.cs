using System.Text.RegularExpressions;

namespace JepaSharp.Tests;

/// <summary>What the documents point at is there.</summary>
public sealed partial class DocumentsTests
{
    private static readonly string Root = ArchitectureTests.RepositoryRoot();

    private static readonly string[] Sources =
    [
        .. new[] { "src", "tests", "bench" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(path => path.Replace('\\', '/'))
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)),
    ];

    public static TheoryData<string> Documents =>
    [
        "README.md", "CONTRIBUTING.md", "CHANGELOG.md",
        .. Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Root, path)),
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_LeadToFiles(string document)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Root, document))!;
        var targets =
            Link().Matches(Text(document)).Select(match => match.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal));
        Assert.All(targets, target => Assert.True(Path.Exists(Path.Combine(folder, target)), target));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Files_ThatAreNamed_Exist(string document) =>
        Assert.All(
            SourceFile().Matches(Text(document)).Select(match => match.Groups[1].Value),
            name => Assert.Contains(Sources, path => path.EndsWith('/' + name, StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Documents))]
    public void Tests_ThatAreNamed_Exist(string document)
    {
        var classes = Sources.Select(Path.GetFileNameWithoutExtension).ToHashSet(StringComparer.Ordinal);
        Assert.All(TestClass().Matches(Text(document)).Select(match => match.Groups[1].Value), name => Assert.Contains(name, classes));
    }

    [Fact]
    public void Pages_OfTheSite_AreAllDocuments()
    {
        var contents = Text("docs/site/pages/toc.yml");
        Assert.All(
            Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md").Select(Path.GetFileName),
            page => Assert.Contains($"href: ../../{page}\n", contents, StringComparison.Ordinal));
    }

    private static string Text(string document) => File.ReadAllText(Path.Combine(Root, document));

    [GeneratedRegex(@"\]\(([^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`([\w/.]+\.cs)`")]
    private static partial Regex SourceFile();

    [GeneratedRegex(@"`(\w+Tests)[`.]")]
    private static partial Regex TestClass();
}
