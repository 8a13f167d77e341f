using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Cli.Watching;

/// <summary>What pages of runs say while the runs go on.</summary>
public sealed class LiveReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void List_WhileRunsBeginAndEnd_HasThoseThatAreThere()
    {
        var report = new LiveReport(_folder.Path);
        Assert.Contains("no run in this folder yet", List(report), StringComparison.Ordinal);
        RunFiles.Write(_folder["a"], 4);
        RunFiles.Write(_folder["deep/er/b"], 24);
        Assert.Equal(["a", "deep/er/b"], report.Names.Order());
        Assert.Matches("/a\">a</a></td><td>running</td><td>ijepa</td><td class=\"n\">4 of 24</td><td class=\"n\">20 s</td>", List(report));
        Assert.Matches("deep/er/b</a></td><td>over</td>", List(report));
        RunFiles.Write(_folder["a"], 6);
        Assert.Contains("6 of 24", List(report), StringComparison.Ordinal);
        Directory.Delete(_folder["a"], recursive: true);
        Assert.Equal(["deep/er/b"], report.Names);
    }

    [Fact]
    public void Run_ThatWritesNothingForLong_IsSaidToBeSilentOrOver()
    {
        RunFiles.Write(_folder["stopped"], 4);
        RunFiles.Age(_folder["stopped"], TimeSpan.FromMinutes(10));
        var report = new LiveReport(_folder.Path);
        Assert.Contains("nothing written for 10 min", List(report), StringComparison.Ordinal);
        File.WriteAllText(_folder["stopped/report.html"], "");
        Assert.Contains("<td>over</td>", List(report), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfARun_HasCurvesWarningsAndTheTimeLeft()
    {
        RunFiles.Write(_folder["a"], 8, "step 3: all images look the same <to it>");
        var page = new LiveReport(_folder.Path).Run("a", new ReportPictures("<p>drawn</p>"), "said of pictures")!;
        foreach (var part in new[] { "about 16 s", "33.3&nbsp;%", "&lt;to it&gt;", "<p>drawn</p>", "said of pictures", "The run, step by step" })
            Assert.Contains(part, page, StringComparison.Ordinal);
        Assert.Null(new LiveReport(_folder.Path).Run("b", null, null));
    }

    [Fact]
    public void Page_OfARunWithADamagedConfiguration_SaysWhy()
    {
        RunFiles.Write(_folder["a"], 8);
        RunFiles.Write(_folder["b"], 8);
        File.WriteAllText(_folder["a/config.yaml"], "optimization: {epochs: many}\n");
        var report = new LiveReport(_folder.Path);
        Assert.Contains("many", report.Run("a", null, null), StringComparison.Ordinal);
        Assert.Contains("many", List(report), StringComparison.Ordinal);
        Assert.Contains("many", report.SideBySide(["a", "b"], Link), StringComparison.Ordinal);
    }

    [Fact]
    public void SideBySide_OfTwoRuns_HasBothInEveryChart()
    {
        RunFiles.Write(_folder["a"], 8);
        RunFiles.Write(_folder["b"], 16);
        var report = new LiveReport(_folder.Path);
        var page = report.SideBySide(["a", "b"], Link)!;
        Assert.Equal(4, page.Split("<i class=\"c1\"></i>a").Length - 1);
        Assert.Equal(4, page.Split("<i class=\"c2\"></i>b").Length - 1);
        Assert.Null(report.SideBySide(["a", "c"], Link));
        Assert.Null(report.SideBySide([], Link));
    }

    [Fact]
    public void Folder_ThatIsARun_IsTheOnlyOne()
    {
        RunFiles.Write(_folder["a"], 8);
        var report = new LiveReport(_folder["a"]);
        Assert.True(report.IsOneRun);
        Assert.Equal(["a"], report.Names);
        Assert.Equal(_folder["a"], report.FolderOf("a"));
    }

    [Fact]
    public void Link_OutOfTheFolder_IsNotFollowed()
    {
        using var elsewhere = new TemporaryFolder();
        RunFiles.Write(elsewhere["secret"], 8);
        RunFiles.Write(_folder["a"], 8);
        Directory.CreateSymbolicLink(_folder["link"], elsewhere.Path);
        Directory.CreateSymbolicLink(_folder["linked-run"], elsewhere["secret"]);
        Assert.Equal(["a"], new LiveReport(_folder.Path).Names);
    }

    [Fact]
    public void Folder_ThatIsNone_IsRefused() =>
        Assert.True(Assert.Throws<JepaException>(() => new LiveReport(_folder["none"])).IsUsage);

    private static string Link(string name) => "/" + name;

    private static string List(LiveReport report) => report.List(Link, "/compare");
}
