using System.Text.Json;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Verbs;
using JepaSharp.Tests.Monitoring;

namespace JepaSharp.Tests.Cli;

/// <summary>The verbs that look at a run: <c>evaluate checkpoints</c> and <c>report</c>.</summary>
public sealed class RunVerbsTests
{
    private readonly StringWriter _out = new() { NewLine = "\n" }, _error = new() { NewLine = "\n" };

    [Fact]
    public void Checkpoints_OfARunOnImagesWithoutLabels_AreRankedWithAReasonAndWritten()
    {
        using var folder = new TemporaryFolder();
        var images = Images(folder["images"]);
        var options = TinyRun.Options with { Data = TinyRun.Options.Data with { Path = images } };
        _ = TinyRun.Train(folder["run"], options, monitorEvery: null);
        Assert.Equal(0, Run("evaluate", "checkpoints", folder["run"], "--out", folder["ranking.json"]));
        Assert.Contains("checkpoints, the best first", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("Keep epoch-000", _out.ToString(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(File.ReadAllText(folder["ranking.json"]));
        Assert.Equal(3, json.RootElement.GetProperty("ranked").GetArrayLength());
        Assert.Equal(Path.GetFullPath(folder["run"]), json.RootElement.GetProperty("measured").GetProperty("run").GetString());

        Assert.Equal(0, Run("report", folder["run"]));
        Assert.Contains("What it finds alike", File.ReadAllText(Path.Combine(folder["run"], "report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_OfARunWhoseImagesAreGone_IsWrittenWithoutPictures()
    {
        using var folder = new TemporaryFolder();
        _ = TinyRun.Train(folder["run"], TinyRun.Options with { Data = TinyRun.Options.Data with { Path = folder["gone"] } }, monitorEvery: null);
        Assert.Equal(0, Run("report", folder["run"]));
        Assert.Contains("the report has no pictures", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("There are no pictures", File.ReadAllText(Path.Combine(folder["run"], "report.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("evaluate checkpoints")]
    [InlineData("report")]
    public void Verb_OnNoRun_SaysWhatWasExpected(string verb)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(2, Run([.. verb.Split(' '), folder["nothing"]]));
        Assert.Contains("Give the folder of a run", _error.ToString(), StringComparison.Ordinal);
    }

    private static string Images(string path)
    {
        Directory.CreateDirectory(path);
        for (var i = 0; i < 24; i++)
        {
            var image = new JepaSharp.Data.RgbImage(32, 32);
            for (var p = 0; p < image.Pixels.Length; p++) image.Pixels[p] = (byte)((p * (i + 3) / 7) % 256);
            File.WriteAllBytes(Path.Combine(path, $"{i:D2}.png"), image.ToPng());
        }

        return path;
    }

    private int Run(params string[] arguments)
    {
        using var stop = new StopSignals(_ => { });
        return CommandLine.Run(arguments, new Terminal(_out, _error), stop, [new EvaluateVerb(), new ReportVerb()]);
    }
}
