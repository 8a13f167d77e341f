using System.Text.Json;
using System.Text.Json.Serialization;
using JepaSharp.Configuration;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Runtime;

namespace JepaSharp.Reports;

/// <summary>How well what is measured without labels agrees with probes, over everything that runs measured along the way: whether a checkpoint
/// chosen by it is one that labels would have chosen.</summary>
/// <remarks>
/// A probe's score is the mean of the accuracies and R2 that a run measured at a step; beside it stand the monitors' last reading up to that step and
/// the steps themselves. The untrained encoder is no checkpoint, and is left out.
/// </remarks>
/// <param name="Correlations">Spearman's rank correlations, a row for each kind of evidence.</param>
/// <param name="Choices">What is lost by keeping a checkpoint by each, a row each.</param>
/// <param name="Runs">Runs that were counted.</param>
/// <param name="Moments">Moments at which both were known, over all runs.</param>
/// <param name="LeftOut">Runs that were not counted and why, a sentence each.</param>
public sealed record EvidenceAgreement(
    IReadOnlyList<EvidenceCorrelation> Correlations, IReadOnlyList<EvidenceChoice> Choices, int Runs, int Moments, IReadOnlyList<string> LeftOut)
{
    /// <summary>Fewest moments of a run, or of several on the same images, that a correlation is taken of.</summary>
    public const int FewestMoments = 3;

    private const string MeasuresFile = "measures.csv";
    private const int Deepest = 5;

    // Sign: 1 where more is said to be better, -1 where less is.
    private static readonly (string Name, int Sign, Func<MeasuredCheckpoint, double> Of)[] Evidence =
    [
        ("LiDAR", 1, c => c.Reading.Lidar),
        ("RankMe", 1, c => c.Reading.RankMe),
        ("deviation of a feature", 1, c => c.Reading.Deviation),
        ("mean cosine, less of it", -1, c => c.Reading.MeanCosine),
        ("loss, less of it", -1, c => c.Reading.Loss),
        ("steps taken", 1, c => c.Step),
    ];

    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Of runs.</summary>
    /// <param name="folders">Run folders, or folders that hold some.</param>
    /// <exception cref="JepaException">There is no run, or none that measured both.</exception>
    public static EvidenceAgreement OfRuns(IEnumerable<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        var (runs, leftOut) = (new List<MeasuredRun>(), new List<string>());
        foreach (var folder in folders.SelectMany(RunsIn).Distinct(StringComparer.Ordinal))
        {
            var record = RunRecord.Read(folder);
            var run = Of(record);
            if (run.Moments.Count >= 2) runs.Add(run);
            else
                leftOut.Add($"{folder}: {(run.Moments.Count == 0 ? "no probe" : "one moment")} with a reading of the monitors beside it; it takes "
                    + "two (labelled images, logging.evaluate_every, logging.monitor_every)");
        }

        return runs.Count > 0
            ? Of(runs) with { LeftOut = leftOut }
            : throw new JepaException($"No run measured probes and monitors at two moments. {string.Join(". ", leftOut)}.", isUsage: true);
    }

    /// <summary>As JSON: everything here.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format);

    internal static EvidenceAgreement Of(IReadOnlyList<MeasuredRun> runs) => new(
        [.. Evidence.Select(e => Correlation(e.Name, e.Sign, e.Of, runs)).OfType<EvidenceCorrelation>()],
        [
            Choice("as a run hands over (checkpoints/best)", runs, m => CheckpointRanking.Of(m).HandedOver().Checkpoint),
            Choice("the last", runs, m => m.MaxBy(c => c.Step)),
            .. Evidence.Where(e => e.Name != Evidence[^1].Name)
                .Select(e => Choice(
                    "by " + e.Name, runs, m => m.Where(c => double.IsFinite(e.Of(c))).MaxBy(c => e.Sign * e.Of(c)), needsAll: e.Of))
                .Where(c => c.Runs > 0),
        ],
        runs.Count, runs.Sum(r => r.Moments.Count), []);

    /// <summary>ρ: Pearson's correlation of ranks, equal values sharing the mean of theirs; NaN where all of one are equal.</summary>
    internal static double Spearman(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        var (x, y) = (Ranks(a), Ranks(b));
        var mean = (a.Count + 1) / 2.0;
        double Sum(double[] p, double[] q) => p.Zip(q, (i, j) => (i - mean) * (j - mean)).Sum();
        return Sum(x, y) / Math.Sqrt(Sum(x, x) * Sum(y, y));
    }

    private static double[] Ranks(IReadOnlyList<double> values) =>
        [.. values.Select(v => values.Count(w => w < v) + ((values.Count(w => w == v) + 1) / 2.0))];

    private static EvidenceCorrelation? Correlation(
        string name, int sign, Func<MeasuredCheckpoint, double> of, IReadOnlyList<MeasuredRun> runs)
    {
        double? Rho(IEnumerable<MeasuredCheckpoint> moments)
        {
            List<MeasuredCheckpoint> known = [.. moments.Where(m => double.IsFinite(of(m)))];
            if (known.Count < FewestMoments) return null;
            var rho = Spearman([.. known.Select(m => sign * of(m))], [.. known.Select(m => m.ProbeScore!.Value)]);
            return double.IsFinite(rho) ? rho : null;
        }

        List<double> within = [.. runs.Select(r => Rho(r.Moments)).OfType<double>()];
        List<double> across = [.. runs.GroupBy(r => r.Comparable).Where(g => g.Count() > 1)
            .Select(g => Rho(g.SelectMany(r => r.Moments))).OfType<double>()];
        if (within.Count == 0 && across.Count == 0) return null;
        var mean = within.Count > 0 ? within.Average() : double.NaN;
        var deviation = within.Count > 1 ? Math.Sqrt(within.Sum(r => (r - mean) * (r - mean)) / (within.Count - 1)) : double.NaN;
        return new EvidenceCorrelation(name, mean, deviation, within.Count, across.Count > 0 ? across.Average() : double.NaN, across.Count);
    }

    private static EvidenceChoice Choice(
        string name, IReadOnlyList<MeasuredRun> runs, Func<IReadOnlyList<MeasuredCheckpoint>, MeasuredCheckpoint?> keep,
        Func<MeasuredCheckpoint, double>? needsAll = null)
    {
        List<double> lost = [];
        foreach (var run in runs.Where(r => needsAll is null || r.Moments.All(m => double.IsFinite(needsAll(m)))))
        {
            if (keep(run.Moments) is not { } kept) continue;
            lost.Add(run.Moments.Max(m => m.ProbeScore!.Value) - kept.ProbeScore!.Value);
        }

        return lost.Count > 0
            ? new EvidenceChoice(name, lost.Average(), lost.Max(), lost.Count)
            : new EvidenceChoice(name, double.NaN, double.NaN, 0);
    }

    private static MeasuredRun Of(RunRecord record)
    {
        List<MeasuredCheckpoint> moments = [];
        foreach (var taken in record.Measures.Where(m => m.Step > 0))
        {
            if (record.Readings.LastOrDefault(r => r.Step <= taken.Step).Reading is not { } reading) continue;
            var moment = new MeasuredCheckpoint($"step {taken.Step}", record.Folder, taken.Epoch, taken.Step, reading, taken.Values)
            {
                TargetsAreFixed = HasFixedTargets(record.Options),
            };
            if (moment.ProbeScore is not null) moments.Add(moment);
        }

        // Scores are compared where they are of the same probes on the same images.
        var probes = moments.Count == 0
            ? ""
            : string.Join(' ', moments[^1].Probe.Keys.Where(MeasureWords.IsProbeScore).Order(StringComparer.Ordinal));
        var data = record.Options.Data;
        return new MeasuredRun($"{data.ResolveSource() ?? "scenes"} {data.TestPath} {probes}", moments);
    }

    internal static bool HasFixedTargets(PretrainOptions options) => options.Meta.Objective switch
    {
        MaskedAutoencoder.ShortName or Distillation.ShortName or Rcdm.ShortName => true,
        ImageJepa.ShortName => options.Ijepa.Target != JepaTarget.Representations,
        _ => false,
    };

    private static IEnumerable<string> RunsIn(string folder)
    {
        var full = Path.GetFullPath(folder);
        if (!Directory.Exists(full)) throw new JepaException($"There is no folder {full}.", isUsage: true);
        if (File.Exists(Path.Combine(full, MeasuresFile))) return [full];
        var options = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = Deepest, IgnoreInaccessible = true };
        List<string> found = [.. Directory.EnumerateFiles(full, MeasuresFile, options).Select(f => Path.GetDirectoryName(f)!)
            .Where(f => File.Exists(Path.Combine(f, "config.yaml"))).Order(StringComparer.Ordinal)];
        return found.Count > 0 ? found : throw new JepaException($"{full} holds no run that measured anything ({MeasuresFile}).", isUsage: true);
    }
}

/// <summary>What a run measured, the encoder at several steps.</summary>
/// <param name="Comparable">Runs whose scores are of the same probes on the same images have the same.</param>
/// <param name="Moments">In the order of the steps.</param>
internal sealed record MeasuredRun(string Comparable, IReadOnlyList<MeasuredCheckpoint> Moments);

/// <summary>How one kind of label-free evidence goes with probes.</summary>
/// <param name="Evidence">What it is called; turned so that more is said to be better.</param>
/// <param name="Within">Mean over runs of ρ over a run's own moments; NaN where no run has enough.</param>
/// <param name="Deviation">Its deviation over runs; NaN of one.</param>
/// <param name="Runs">Runs that had enough moments.</param>
/// <param name="Across">ρ over all moments of all runs on the same images, a mean over sets of images; NaN where no two runs are on the
/// same.</param>
/// <param name="Sets">Sets of images with several runs.</param>
public sealed record EvidenceCorrelation(string Evidence, double Within, double Deviation, int Runs, double Across, int Sets);

/// <summary>What is lost by keeping, of each run, the checkpoint that a rule names.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Lost">Mean over runs of the best moment's score less that of the one kept, as a share.</param>
/// <param name="Most">The same of the run that lost most.</param>
/// <param name="Runs">Runs that the rule could be used on.</param>
public sealed record EvidenceChoice(string Rule, double Lost, double Most, int Runs);
