using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Runs;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using JepaSharp.Weights;

namespace JepaSharp.Studies;

/// <summary>Makes what is missing of a study in a folder: trains, evaluates, and keeps a record of each run that is done.</summary>
/// <remarks>
/// A run that has a record is never made again, wherever the record came from. One that was stopped, however, goes on from its checkpoint to the same
/// bits. In the folder: <c>records/ROW.seed-S.json</c>, <c>runs/ROW/seed-S/</c>, and the tables. Records beside the study's file, in
/// <c>records/NAME/</c>, count as well: so a study's results travel with it.
/// </remarks>
public sealed class StudyRunner
{
    private readonly Dictionary<string, StudyRecord> _records = [];
    private readonly Dictionary<string, TimeSpan> _measured = [];
    private readonly List<string> _kept = [], _notes = [];

    private readonly StudyFiles _files;

    private StudyRunner(StudyPlan plan, string folder, bool countsKept) =>
        (Plan, Folder, _files) = (plan, Path.GetFullPath(folder), new StudyFiles(plan, Path.GetFullPath(folder), countsKept));

    /// <summary>The study, opened; owned by the caller.</summary>
    public StudyPlan Plan { get; }

    /// <summary>Full path of the study's folder.</summary>
    public string Folder { get; }

    /// <summary>Records by <see cref="PlannedRun.Key"/>.</summary>
    public IReadOnlyDictionary<string, StudyRecord> Records => _records;

    /// <summary>Keys of the runs whose records are those kept beside the study's file.</summary>
    public IReadOnlyList<string> Kept => _kept;

    /// <summary>Where the records kept beside the study's file are.</summary>
    public string KeptFolder => StudyFiles.KeptBeside(Plan.Study);

    /// <summary>Records beside the study's file that do not count, with what differs, one a line.</summary>
    public IReadOnlyList<string> KeptOfOthers => _notes;

    /// <summary>Runs without a record, in order.</summary>
    public IReadOnlyList<PlannedRun> Missing => [.. Plan.Runs.Where(r => !_records.ContainsKey(r.Key))];

    /// <summary>Looks at what is done already. Changes nothing.</summary>
    /// <param name="plan">The study.</param>
    /// <param name="folder">Its folder, which need not be there yet.</param>
    /// <param name="countsKept">Whether records kept beside the study's file (<c>records/NAME</c>) count as done; else everything is made in the
    /// folder.</param>
    /// <exception cref="StudyException">A record or a run in the folder is of another configuration, or cannot be read; lists all.</exception>
    public static StudyRunner Open(StudyPlan plan, string folder, bool countsKept = true)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var runner = new StudyRunner(plan, folder, countsKept);
        var problems = new List<string>();
        foreach (var run in plan.Runs)
        {
            try
            {
                if (runner._files.Found(run) is { } record)
                {
                    runner._records[run.Key] = record;
                    if (runner._files.IsKept(run)) runner._kept.Add(run.Key);
                    continue;
                }

                if (runner._files.KeptDifferences(run) is { Count: > 0 } differ) runner._notes.Add($"{run.Key}: {string.Join("; ", differ)}");
                if (!run.IsUntrained) runner._files.RequireSameRun(run);
            }
            catch (JepaException e)
            {
                problems.Add(e.Message);
            }
        }

        return problems.Count == 0 ? runner : throw new StudyException(problems);
    }

    /// <summary>Reads the records anew: other processes may have written some.</summary>
    public void Refresh()
    {
        foreach (var run in Missing)
            if (_files.Found(run) is { } record) _records[run.Key] = record;
    }

    /// <summary>Where a run is kept.</summary>
    public string RunFolderOf(PlannedRun run) => _files.RunFolderOf(run);

    /// <summary>Where its record is kept.</summary>
    public string RecordOf(PlannedRun run) => _files.RecordOf(run);

    /// <summary>Steps of a run: of its budget, of its folder where it is begun, or, where minutes are to be measured first, null.</summary>
    public long? StepsOf(PlannedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (run.IsUntrained) return 0;
        if (_records.TryGetValue(run.Key, out var record)) return record.Steps;
        return run.Variant.Steps ?? (RunFolder.HoldsRun(RunFolderOf(run))
            ? PretrainOptions.Load(Path.Combine(RunFolderOf(run), "config.yaml")).Optimization.MaxSteps : null);
    }

    /// <summary>Time of a step of a variant: from finished runs of it on this processor, else measured, once.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="stop">Stops between steps.</param>
    /// <returns>The time, and where it is from.</returns>
    public (TimeSpan Step, string Source) TimeOfStep(PlannedVariant variant, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(variant);
        var here = Processor.Detect();
        var known = _records.Values.Where(
            r => r.Variant == variant.Name && r.Steps > 0 && r.Processor == here.Model && r.Cores == here.UsableCores).ToList();
        if (known.Count > 0)
            return (TimeSpan.FromSeconds(known.Sum(r => r.Seconds) / known.Sum(r => r.Steps)),
                string.Create(CultureInfo.InvariantCulture, $"{known.Count} finished"));
        if (!_measured.TryGetValue(variant.Name, out var time))
        {
            var budget = Plan.Study.Budget;
            var share = budget.Unit == BudgetUnit.Minutes ? TimeSpan.FromMinutes(budget.Amount) / 20 : TimeSpan.FromSeconds(5);
            using var source = variant.Options.Data.OpenSource();
            _measured[variant.Name] = time = StepTime.Of(StudySchedule.Laid(variant.Options, variant.StepsPerEpoch, 1000), source, share, stop);
        }

        return (time, "measured");
    }

    /// <summary>Refuses minutes that do not pay for enough steps of some variant to be a run, before any is begun.</summary>
    /// <exception cref="StudyException">Names each variant and its step's time.</exception>
    public void RequireMinutes(CancellationToken stop = default)
    {
        const int fewest = 10;
        if (Plan.Study.Budget.Unit != BudgetUnit.Minutes) return;
        var problems = new List<string>();
        foreach (var variant in Missing.Where(r => !r.IsUntrained && StepsOf(r) is null).Select(r => r.Variant).Distinct())
        {
            var time = TimeOfStep(variant, stop).Step;
            if (MinutesOver(time) < fewest)
                problems.Add(FormattableString.Invariant(
                    $"variants.{variant.Name}: a step takes {time.TotalSeconds:F3} s here: {Plan.Study.Budget} are {MinutesOver(time)} steps; ")
                    + FormattableString.Invariant($"give at least {fewest * time.TotalMinutes:F3} minutes"));
        }

        if (problems.Count > 0) throw new StudyException(problems);
    }

    /// <summary>Makes a run, or goes on with it, and keeps its record; nothing where it has one.</summary>
    /// <param name="run">One of the plan's.</param>
    /// <param name="listeners">Are told everything that happens while it trains.</param>
    /// <param name="say">Is told what is done, a line at a time.</param>
    /// <param name="stop">Finishes the step, writes a checkpoint and stops.</param>
    /// <exception cref="JepaException">It cannot be trained or evaluated.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; the same call goes on.</exception>
    public StudyRecord Make(PlannedRun run, IReadOnlyList<ITrainingObserver> listeners, Action<string> say, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(say);
        if (_files.Found(run) is { } done) return _records[run.Key] = done;
        var device = TorchBackend.ChooseDevice(run.Variant.Options.Meta.Device);
        var trained = run.IsUntrained ? null : new StudyTraining(this, run).Train(listeners, say, stop);
        using var encoder = trained is null ? Untrained(run, device) : Trained(RunFolderOf(run), run, device);
        encoder.ComputeIn(TorchSharp.torch.ScalarType.Float32);
        say($"{run.Key}: evaluating");
        var data = run.Variant.Options.Data;
        var normalization = new PixelNormalization(
            [data.Mean.Red, data.Mean.Green, data.Mean.Blue], [data.Std.Red, data.Std.Green, data.Std.Blue]);
        List<StudyScore> scores = [.. Plan.Questions.Select(q => q.Ask(encoder, normalization, data.CropSize, device, stop))];
        var (identity, here) = (StudyIdentity.Of(Plan, run), Processor.Detect());
        var record = new StudyRecord
        {
            Variant = run.Row,
            Seed = run.Seed,
            Digest = StudyRecord.DigestOf(identity),
            Configuration = identity,
            Images = StudyIdentity.ImagesOf(Plan, run),
            Steps = trained?.Cost.Steps ?? 0,
            ImagesSeen = trained?.Cost.Images ?? 0,
            Operations = trained is null ? 0 : trained.Cost.Operations,
            Seconds = trained?.Cost.Time.TotalSeconds ?? 0,
            Processor = here.Model,
            Cores = here.UsableCores,
            Device = device.ToString(),
            Precision = trained?.Precision ?? "none",
            Program = typeof(StudyRunner).Assembly.GetName().Version!.ToString(3),
            Finished = TimeProvider.System.GetUtcNow(),
            Notes = trained?.Notes ?? [],
            Scores = scores,
        };
        record.Write(RecordOf(run));
        say($"{run.Key}: " + string.Join(", ", scores.Select(s => FormattableString.Invariant($"{s.Name} {s.Metric} {s.Value:F4}"))));
        return _records[run.Key] = record;
    }

    /// <summary>Steps that the budget's minutes hold.</summary>
    internal long MinutesOver(TimeSpan step) => (long)(TimeSpan.FromMinutes(Plan.Study.Budget.Amount) / step);

    private static VisionTransformer Untrained(PlannedRun run, TorchSharp.torch.Device device)
    {
        var encoder = new VisionTransformer(new PretrainPlan(run.Variant.Options).Encoder, device);
        Initialization.Initialize(encoder, (ulong)run.Seed, 0);
        return encoder;
    }

    private static VisionTransformer Trained(string folder, PlannedRun run, TorchSharp.torch.Device device)
    {
        using var weights = PretrainedWeights.Open(folder, new PretrainPlan(run.Variant.Options).Encoder.Heads);
        return PretrainedNetworks.LoadEncoder(weights, device: device);
    }
}
