using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using JepaSharp.Data.Loading;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Monitoring;

/// <summary>A run's kept checkpoints, the best first, and which to keep.</summary>
/// <remarks>
/// With labels by the mean of the probes' scores: nothing says more of an encoder than what can be read out of it. Without, by LiDAR: of the
/// label-free measures the one that its authors find nearest to a linear probe, also for I-JEPA; checkpoints whose features have collapsed come last.
/// </remarks>
/// <param name="Ranked">The checkpoints, the best first.</param>
/// <param name="Advice">One sentence.</param>
public sealed record CheckpointRanking(IReadOnlyList<MeasuredCheckpoint> Ranked, string Advice)
{
    /// <summary>What could not be measured and why, a sentence each: checkpoints that a run that goes on has replaced meanwhile, or that are
    /// damaged; and the sentences of <see cref="Unreadable"/>.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>The images that the measures left out because they could not be read, a set each.</summary>
    public IReadOnlyList<LeftOutImages> Unreadable { get; init; } = [];

    /// <summary>An earlier checkpoint is handed over in place of the last only where the measure is higher by more than this share.</summary>
    public const double LeastLead = 0.1;

    private const string Latest = "latest";
    private const int MostAttempts = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Checkpoints of a run folder, oldest first; the same step under two names counts once, under its epoch's.</summary>
    /// <exception cref="JepaException">There is none.</exception>
    public static IReadOnlyList<KeptCheckpoint> Find(string runFolder)
    {
        var folder = System.IO.Path.Combine(System.IO.Path.GetFullPath(runFolder), "checkpoints");
        List<KeptCheckpoint> found = !Directory.Exists(folder) ? [] :
            [.. Directory.EnumerateDirectories(folder).Where(IsWhole).Where(IsKept).Select(DescribeIfThere).OfType<KeptCheckpoint>()
                .OrderBy(c => c.Step).ThenBy(c => c.Name, StringComparer.Ordinal).DistinctBy(c => c.Step)];
        return found.Count > 0
            ? found
            : throw new JepaException(
                $"{folder} holds no complete checkpoint. Give the folder of a run of jepa pretrain that has saved at least one.", isUsage: true);
    }

    /// <summary>At most so many of a run's checkpoints, evenly spaced, the last always among them.</summary>
    public static IReadOnlyList<KeptCheckpoint> Some(string runFolder, int most)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        var all = Find(runFolder);
        return all.Count <= most ? all : [.. Enumerable.Range(1, most).Select(i => all[(all.Count * i / most) - 1])];
    }

    /// <summary>Puts measured checkpoints in order.</summary>
    public static CheckpointRanking Of(IReadOnlyList<MeasuredCheckpoint> measured)
    {
        ArgumentNullException.ThrowIfNull(measured);
        if (measured.Count == 0) throw new ArgumentException("Found no checkpoint; expected at least one.", nameof(measured));
        var labelled = measured.All(c => c.ProbeScore is not null);
        List<MeasuredCheckpoint> ranked = labelled
            ? [.. measured.OrderByDescending(c => c.ProbeScore).ThenByDescending(c => c.Reading.Lidar)]
            : [.. measured.OrderBy(c => c.IsCollapsed).ThenByDescending(c => c.Reading.Lidar).ThenByDescending(c => c.Reading.RankMe)];
        return new CheckpointRanking(ranked, AdviceOn(ranked, labelled));
    }

    /// <summary>
    /// The checkpoint that a run hands over, chosen without any label, so that it can be scored by any: the last one, unless its features have
    /// collapsed where another's have not, or an earlier one's tell images apart in more directions, by <see cref="LeastLead"/> and more. Where
    /// targets are fixed, as pixels are, ranks do not count.
    /// </summary>
    /// <returns>The checkpoint, and why, in a sentence.</returns>
    public (MeasuredCheckpoint Checkpoint, string Why) HandedOver()
    {
        var last = Ranked.MaxBy(c => c.Step)!;
        // Learning towards pixels, ranks fall while probes rise (docs/monitoring.md).
        if (last is { TargetsAreFixed: true, IsCollapsed: false })
            return (last, "the last checkpoint: its targets do not move, so that no rank speaks for an earlier one; no label was used");
        List<MeasuredCheckpoint> sound = [.. Ranked.Where(c => !c.IsCollapsed)];
        var byLidar = sound.TrueForAll(c => double.IsFinite(c.Reading.Lidar));
        var name = byLidar ? "LiDAR" : "RankMe";
        double Measure(MeasuredCheckpoint c) => byLidar ? c.Reading.Lidar : c.Reading.RankMe;
        var best = sound.MaxBy(Measure);
        if (best is null) return (last, "the last checkpoint, since the features of all have collapsed");
        string Of(MeasuredCheckpoint c) => Measure(c).ToString("F1", CultureInfo.InvariantCulture);
        const string Unseen = "no label was used";
        if (best == last) return (last, $"the last checkpoint, whose {name} is the highest, {Of(last)}; {Unseen}");
        if (last.IsCollapsed) return (best, $"{best.Name}, with the highest {name}, {Of(best)}: the last has collapsed; {Unseen}");
        return Measure(best) > (1 + LeastLead) * Measure(last)
            ? (best, $"{best.Name}, with a {name} of {Of(best)}, where the last has {Of(last)}; {Unseen}")
            : (last, $"the last checkpoint, with a {name} of {Of(last)}: {best.Name} has {Of(best)}, too small a lead to count; {Unseen}");
    }

    /// <summary>Measures checkpoints of a run.</summary>
    /// <param name="objective">Networks of the run's shapes, into which checkpoints are read one after the other.</param>
    /// <param name="checkpoints">Which: see <see cref="Find"/> and <see cref="Some"/>.</param>
    /// <param name="monitor">Takes the label-free measures.</param>
    /// <param name="probe">Scores an encoder; null without labels.</param>
    /// <param name="progress">Is told how many are done.</param>
    /// <param name="cancellation">Stops between batches of images.</param>
    /// <exception cref="JepaException">None of them could be measured.</exception>
    public static CheckpointRanking Measure(
        Objective objective, IReadOnlyList<KeptCheckpoint> checkpoints, RunMonitor monitor, EpochMeasure? probe,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(checkpoints);
        ArgumentNullException.ThrowIfNull(monitor);
        var (measured, leftOut) = (new List<MeasuredCheckpoint>(), new List<string>());
        JepaException? why = null;
        foreach (var checkpoint in checkpoints) Add(checkpoint.Name, checkpoint.Path);
        // Where the newest is gone, the run goes on, and has a newer one.
        if (leftOut.Count > 0 && measured.All(m => m.Step < checkpoints[^1].Step) && checkpoints[^1].Name != Latest)
            Add(Latest, System.IO.Path.Combine(System.IO.Path.GetDirectoryName(checkpoints[^1].Path)!, Latest));
        if (measured.Count > 0) return Of(measured) with { LeftOut = leftOut };
        throw why ?? new JepaException("There is no checkpoint to measure.");

        void Add(string name, string path)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                var read = LoadWhole(path, objective);
                measured.Add(new MeasuredCheckpoint(
                    name, path, read.Epoch, read.Step, monitor.Read(objective, cancellation: cancellation),
                    probe?.Invoke(objective.Encoder) ?? new Dictionary<string, double>())
                {
                    TargetsAreFixed = objective.TargetsAreFixed,
                });
                progress?.Report(measured.Count);
            }
            catch (JepaException e)
            {
                why ??= e;
                leftOut.Add(Directory.Exists(path)
                    ? $"{name} is left out: {e.Message}"
                    : $"{name} is left out: it was removed meanwhile, as a run does with its older checkpoints.");
            }
        }
    }

    /// <summary>The ranking with everything measured, for programs.</summary>
    /// <param name="facts">What it was measured with: the run, its images.</param>
    public string ToJson(IReadOnlyDictionary<string, string> facts) =>
        JsonSerializer.Serialize(new { Measured = facts, Advice, Ranked, LeftOut, Unreadable }, Format) + "\n";

    private static string AdviceOn(List<MeasuredCheckpoint> ranked, bool labelled)
    {
        var best = ranked[0];
        if (best.IsCollapsed && !labelled) return $"None is worth keeping: the features of all have collapsed, {best.Name} the least.";
        var why = labelled
            ? string.Create(CultureInfo.InvariantCulture, $"its probes score highest, {best.ProbeScore:F3} on average")
            : string.Create(CultureInfo.InvariantCulture,
                $"without labels, its features tell images apart in the most directions (LiDAR {best.Reading.Lidar:F1})");
        if (ranked.Count == 1) return $"Keep {best.Name}, the only one there is.";
        var next = labelled
            ? string.Create(CultureInfo.InvariantCulture, $"{ranked[1].Name} has {ranked[1].ProbeScore:F3}")
            : string.Create(CultureInfo.InvariantCulture, $"{ranked[1].Name} has {ranked[1].Reading.Lidar:F1}");
        return $"Keep {best.Name}: {why}; {next}.";
    }

    /// <summary>Loads a checkpoint that may be replaced by a newer one while it is read.</summary>
    /// <returns>What was loaded: all of it of one step.</returns>
    private static KeptCheckpoint LoadWhole(string path, Objective objective)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var before = Describe(path);
                Load(path, objective);
                if (Describe(path).Step == before.Step) return before;
                if (attempt == MostAttempts) throw new JepaException($"{path} is replaced faster than it can be read.");
            }
            catch (JepaException) when (attempt < MostAttempts && System.IO.Path.GetFileName(path) == Latest)
            {
                Thread.Sleep(Pause); // between the old one and the new there is none
            }
        }
    }

    /// <summary>Loads all networks of an objective.</summary>
    /// <param name="path">A checkpoint, or a run.</param>
    /// <param name="objective">Networks of its shapes.</param>
    internal static void Load(string path, Objective objective)
    {
        using var weights = PretrainedWeights.Open(path, objective.Encoder.Shape.Heads);
        using var untracked = no_grad();
        foreach (var network in objective.Networks.Where(n => n.IsSaved))
        {
            foreach (var (name, tensor) in network.Module.state_dict()) weights.ReadInto($"{network.Name}.{name}", tensor);
        }
    }

    // A folder still being written has another name until it is whole.
    private static bool IsWhole(string path) =>
        !System.IO.Path.GetFileName(path).Contains('.', StringComparison.Ordinal)
        && File.Exists(System.IO.Path.Combine(path, "weights.safetensors")) && File.Exists(System.IO.Path.Combine(path, "state.json"));

    private static bool IsKept(string path) => System.IO.Path.GetFileName(path) != Training.Checkpoints.BestCheckpoint.Name;

    /// <summary>As <see cref="Describe"/>; null where the checkpoint has just been removed.</summary>
    private static KeptCheckpoint? DescribeIfThere(string path)
    {
        try
        {
            return Describe(path);
        }
        catch (JepaException) when (!Directory.Exists(path))
        {
            return null;
        }
    }

    private static KeptCheckpoint Describe(string path)
    {
        var state = Training.Checkpoints.CheckpointState.Read(path);
        return new KeptCheckpoint(System.IO.Path.GetFileName(path), path, state.Epoch, state.Step);
    }
}

/// <summary>A complete checkpoint of a run.</summary>
/// <param name="Name">Name of its folder: epoch-0005, latest.</param>
/// <param name="Path">Full path of its folder.</param>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Step">Steps done.</param>
public sealed record KeptCheckpoint(string Name, string Path, int Epoch, long Step);

/// <summary>A kept checkpoint and what was measured of it.</summary>
/// <param name="Name">Name of its folder: epoch-0005, latest.</param>
/// <param name="Path">Full path of its folder.</param>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Reading">Label-free measures, on the same images and masks for every checkpoint.</param>
/// <param name="Probe">Scores of probes, by name; empty where there are no labels.</param>
public sealed record MeasuredCheckpoint(
    string Name, string Path, int Epoch, long Step, MonitorReading Reading, IReadOnlyDictionary<string, double> Probe)
{
    /// <summary>Mean of the probes' scores, accuracies as shares; null without labels.</summary>
    public double? ProbeScore => Scores is { Count: > 0 } scores ? scores.Average() : null;

    /// <summary>Whether the features are of use at all: see <see cref="CollapseWatch"/>.</summary>
    public bool IsCollapsed => CollapseWatch.IsCollapsed(Reading, TargetsAreFixed);

    internal bool TargetsAreFixed { get; init; }

    private List<double> Scores => [.. Probe
        .Where(p => (p.Key.EndsWith("accuracy", StringComparison.Ordinal) && p.Key != "count_accuracy") || p.Key.EndsWith(
            "_r2", StringComparison.Ordinal))
        .Select(p => p.Value).Where(double.IsFinite)];
}
