using System.Text.RegularExpressions;
using System.Xml.Linq;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Reports;
using JepaSharp.Runtime;
using JepaSharp.Tests.Monitoring;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Reports;

public sealed partial class RunReportTests
{
    [Fact]
    public void Report_OfARun_OpensAloneAndHasEverySection()
    {
        using var folder = new TemporaryFolder();
        var path = folder["run"];
        _ = TinyRun.Train(path, TinyRun.Options, monitorEvery: 5);
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, 64, 32);
        using var scaling = TinyRun.Scaling(TinyRun.Options);
        using var objective = KnownObjectives.Create(new PretrainPlan(TinyRun.Options));
        var ranking = CheckpointRanking.Measure(
            objective, CheckpointRanking.Find(path), new RunMonitor(TinyRun.Sample(source, TinyRun.Options), scaling), null,
            cancellation: TestContext.Current.CancellationToken);
        using var weights = PretrainedWeights.Open(path, 2);
        using VisionTransformer trained = PretrainedNetworks.LoadEncoder(weights);
        RunMachine.Here("cpu", "fp32", source.Description, source.Count).Write(path);
        var page = File.ReadAllText(RunReport.Write(
            path, source, EvaluationTransform.Squash(32), trained, CPU, ranking, cancellation: TestContext.Current.CancellationToken));

        foreach (var section in new[] { "The run, step by step", "Which checkpoint to keep", "What it is asked", "What it makes of a patch",
            "What it finds alike", "Configuration", "Machine and time" })
            Assert.Contains($"<h2>{section}</h2>", page, StringComparison.Ordinal);
        Assert.Matches("patches in the context</dt><dd>[0-9.]+ \\(0\\.[0-9]+\\)</dd>", page);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<link", page, StringComparison.OrdinalIgnoreCase);
        Assert.All(Source().Matches(page), match => Assert.StartsWith("data:image/png;base64,", match.Groups[1].Value, StringComparison.Ordinal));
        Assert.Equal(6 * 6 + 6 * 6, Source().Count(page));
        Assert.All(Drawing().Matches(page), drawing => Assert.NotEmpty(XElement.Parse(drawing.Value).Elements()));
        Assert.InRange(Drawing().Count(page), 6, 9);
    }

    [Fact]
    public void Report_OfARunWithHostileNames_ShowsThemAsText()
    {
        const string Hostile = "<script>alert('x')</script> & \"quotes\"";
        using var folder = new TemporaryFolder();
        var path = folder["<b>run & co"];
        _ = TinyRun.Train(
            path, TinyRun.Options with { Logging = TinyRun.Options.Logging with { WriteTag = "<img src=x onerror=alert(1)>" } }, monitorEvery: null);
        RunMachine.Here("cpu", "fp32", Hostile, 64).Write(path);
        File.AppendAllText(Path.Combine(path, "warnings.txt"), $"step 3: {Hostile}\n");
        var page = File.ReadAllText(RunReport.WriteWithoutPictures(path, $"The images are gone: {Hostile}"));

        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<b>", page, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(4, Regex.Count(page, Regex.Escape("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;quotes&quot;")));
    }

    [Fact]
    public void Report_OfAFolderWithoutARun_SaysSo()
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<JepaException>(() => RunReport.WriteWithoutPictures(folder.Path, ""));
        Assert.Contains("config.yaml", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsUsage);
    }

    [Theory]
    [InlineData(0.03, 0.45)]
    [InlineData(0, 0)]
    [InlineData(-1, 1000)]
    [InlineData(5, 5)]
    public void Axis_Linear_HoldsItsValuesBetweenRoundTicks(double low, double high)
    {
        var axis = AxisScale.Linear(low, high);
        Assert.InRange(axis.Position(low), -1e-9, 1);
        Assert.InRange(axis.Position(high), 0, 1 + 1e-9);
        Assert.InRange(axis.Ticks.Count, 2, 8);
        Assert.Equal(0, axis.Position(axis.Ticks[0]), 9);
        Assert.Equal(1, axis.Position(axis.Ticks[^1]), 9);
    }

    [Fact]
    public void Axis_Logarithmic_HasTicksOfEqualRatio()
    {
        var axis = AxisScale.Logarithmic(0.0075, 0.45);
        Assert.Equal([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5], axis.Ticks.Select(t => Math.Round(t, 6)));
        Assert.Equal(axis.Position(0.02) - axis.Position(0.01), axis.Position(0.2) - axis.Position(0.1), 9);
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.0003, "3e-4")]
    [InlineData(0.25, "0.25")]
    [InlineData(1250, "1,250")]
    [InlineData(20000, "20k")]
    public void Tick_AsText_IsShort(double tick, string text) => Assert.Equal(text, AxisScale.Label(tick));

    [Fact]
    public void Colours_OfPatchesAlongThreeAxes_SpreadOverTheWholeRange()
    {
        float[] values = [.. Enumerable.Range(0, 64).SelectMany(i => new[] { (i % 4) * 4f, (i / 4 % 4) * 2f, i / 16 * 1f })];
        var (pictures, share) = FeatureColours.Of(new(64, 3, values), 4, 4);
        Assert.Equal(4, pictures.Count);
        Assert.Equal(1, share, 6);
        Assert.Equal((4, 4), (pictures[0].Width, pictures[0].Height));
        Assert.Equal([0, 85, 170, 255], pictures[0].Row(0).ToArray().Where((_, i) => i % 3 == 0).Select(b => (int)b));
    }

    [Fact]
    public void Neighbours_OfAnImage_AreThoseInItsDirectionFromTheMean()
    {
        var features = new JepaSharp.Evaluation.FeatureMatrix(5, 2, [10, 11, 10, 12, 10, 9, 11, 10, 9, 10]); // mean 10, 10.4
        var nearest = JepaSharp.Reports.Neighbours.Of(features, 0, 2);
        Assert.Equal(1, nearest[0].Row);
        Assert.Equal(1, nearest[0].Cosine, 6);
        Assert.DoesNotContain(nearest, n => n.Row == 0);
    }

    [GeneratedRegex("src=\"([^\"]{0,60})")]
    private static partial Regex Source();

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Drawing();
}
