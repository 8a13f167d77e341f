using System.Globalization;
using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Monitoring;
using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Reports;

public sealed class EvidenceAgreementTests : IDisposable
{
    private static readonly MonitorReading Healthy = new(0.05, 0.2, 0.08, 8, 20, 0.2, 0.7);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>As scipy.stats.spearmanr has them.</summary>
    [Theory]
    [InlineData(new[] { 1.0, 2, 3, 4 }, new[] { 10.0, 20, 30, 5000 }, 1)]
    [InlineData(new[] { 1.0, 2, 3, 4 }, new[] { 4.0, 3, 2, 1 }, -1)]
    [InlineData(new[] { 1.0, 2, 2, 4 }, new[] { 1.0, 3, 2, 4 }, 0.9486832980505138)]
    [InlineData(new[] { 3.0, 1, 2, 5, 4 }, new[] { 1.0, 2, 3, 4, 5 }, 0.6)]
    public void Spearman_OfRanks_SharesThoseOfEqualValues(double[] a, double[] b, double expected) =>
        Assert.Equal(expected, EvidenceAgreement.Spearman(a, b), 12);

    [Fact]
    public void Agreement_OfRuns_SaysWhatGoesWithProbes_AndWhatAChoiceLoses()
    {
        // LiDAR goes with the probes within each run, but the run that scores less has more of it: over all it goes against them.
        MeasuredRun[] runs =
        [
            Run("photos", (0.30, 50), (0.34, 52), (0.33, 51)),
            Run("photos", (0.40, 20), (0.42, 22), (0.44, 23)),
        ];
        var agreement = EvidenceAgreement.Of(runs);
        var lidar = agreement.Correlations.Single(c => c.Evidence == "LiDAR");
        Assert.Equal((1, 2, 1), (lidar.Within, lidar.Runs, lidar.Sets));
        Assert.Equal(-0.5428571428571428, lidar.Across, 12);
        // The first run is best in the middle: the last loses a point, half of one on average.
        var last = agreement.Choices.Single(c => c.Rule == "the last");
        Assert.Equal(0.005, last.Lost, 12);
        Assert.Equal(0.01, last.Most, 12);
        Assert.Equal(0, agreement.Choices.Single(c => c.Rule == "by LiDAR").Lost, 12);
        // A lead of two per cent is too small to hand over another than the last.
        Assert.Equal(0.005, agreement.Choices[0].Lost, 12);
        // What never varies goes with nothing.
        Assert.DoesNotContain(agreement.Correlations, c => c.Evidence == "RankMe");
        Assert.Equal((2, 6), (agreement.Runs, agreement.Moments));
    }

    [Fact]
    public void Agreement_OfOtherImages_IsNotTakenTogether()
    {
        var agreement = EvidenceAgreement.Of([Run("photos", (0.3, 1), (0.4, 2), (0.5, 3)), Run("digits", (0.9, 1), (0.8, 2), (0.7, 3))]);
        var lidar = agreement.Correlations.Single(c => c.Evidence == "LiDAR");
        Assert.Equal(0, lidar.Within);
        Assert.Equal(Math.Sqrt(2), lidar.Deviation, 12);
        Assert.Equal(0, lidar.Sets);
        Assert.True(double.IsNaN(lidar.Across));
    }

    [Fact]
    public void Folders_WithRuns_AreRead_AndRunsWithoutProbesAreLeftOutByName()
    {
        Write("study/a", probes: true);
        Write("study/b", probes: false);
        var agreement = EvidenceAgreement.OfRuns([_folder["study"]]);
        Assert.Equal((1, 3), (agreement.Runs, agreement.Moments));
        Assert.Contains(Path.Combine("study", "b"), Assert.Single(agreement.LeftOut), StringComparison.Ordinal);
        Assert.Equal(1, agreement.Correlations.Single(c => c.Evidence == "RankMe").Within);
        Assert.Equal(-1, agreement.Correlations.Single(c => c.Evidence == "loss, less of it").Within);
        using var json = JsonDocument.Parse(agreement.ToJson());
        Assert.Equal(3, json.RootElement.GetProperty("moments").GetInt32());
        Assert.Contains("no probe", Refused(_folder["study/b"]));
        Assert.Contains("There is no folder", Refused(_folder["nowhere"]));
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Contains("holds no run", Refused(_folder["empty"]));
    }

    private static string Refused(string folder) => Assert.Throws<JepaException>(() => EvidenceAgreement.OfRuns([folder])).Message;

    private static MeasuredRun Run(string images, params (double Score, double Lidar)[] moments) => new(images,
        [.. moments.Select((m, i) => new MeasuredCheckpoint(
            $"step {i}", "", i + 1, i + 1, Healthy with { Lidar = m.Lidar },
            new Dictionary<string, double> { ["knn_heldout_accuracy"] = m.Score }))]);

    private void Write(string name, bool probes)
    {
        Directory.CreateDirectory(_folder[name]);
        File.WriteAllText(Path.Combine(_folder[name], "config.yaml"), new PretrainOptions().ToYaml());
        List<string> lines = ["epoch,step,measure,value", "0,0,knn_heldout_accuracy,0.9", "0,0,monitor/rankme,9"];
        for (var step = 10; step <= 30; step += 10)
        {
            // The reading before counts, and the probe of step 0 does not.
            lines.Add(Row(step - 5, "monitor/rankme", step));
            lines.Add(Row(step - 5, "monitor/loss", step));
            if (probes) lines.Add(Row(step, "knn_heldout_accuracy", step / 100.0));
        }

        File.WriteAllLines(Path.Combine(_folder[name], "measures.csv"), lines);

        static string Row(int step, string measure, double value) => string.Create(CultureInfo.InvariantCulture, $"1,{step},{measure},{value}");
    }
}
