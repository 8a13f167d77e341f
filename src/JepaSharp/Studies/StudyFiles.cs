using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Studies;

/// <summary>A study's folder: where records and runs are, and whether they are those that are asked for.</summary>
/// <param name="plan">The study.</param>
/// <param name="folder">Its folder.</param>
/// <param name="countsKept">Whether records that are kept beside the study's file count.</param>
internal sealed class StudyFiles(StudyPlan plan, string folder, bool countsKept)
{
    /// <summary>Where a study's own records are kept: <c>records/NAME</c> beside its file.</summary>
    public static string KeptBeside(Study study) => Path.Combine(Path.GetDirectoryName(study.Path)!, "records", study.Name);

    /// <summary>Where a run is kept.</summary>
    public string RunFolderOf(PlannedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Path.Combine(folder, "runs", run.Row, string.Create(CultureInfo.InvariantCulture, $"seed-{run.Seed}"));
    }

    /// <summary>Where its record is kept.</summary>
    public string RecordOf(PlannedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Path.Combine(folder, "records", NameOf(run));
    }

    /// <summary>The run's record: the folder's, else the one kept beside the study; null where there is none.</summary>
    /// <exception cref="JepaException">The folder's is of another run.</exception>
    public StudyRecord? Found(PlannedRun run)
    {
        var path = RecordOf(run);
        if (!File.Exists(path)) return Kept(run) is { } kept && DifferencesOf(kept, run).Count == 0 ? kept : null;
        var record = StudyRecord.Read(path);
        return DifferencesOf(record, run) is not { Count: > 0 } differ ? record : throw new JepaException(
            $"{path} is the record of another run: {string.Join("; ", differ)}. Put the study back, give another --out, or remove the record: the "
                + "run is then made as it is asked for now.", isUsage: true);
    }

    /// <summary>Whether the run's record is the one kept beside the study.</summary>
    public bool IsKept(PlannedRun run) => !File.Exists(RecordOf(run)) && Kept(run) is not null;

    /// <summary>What keeps the record beside the study from counting; empty where it counts or there is none.</summary>
    public IReadOnlyList<string> KeptDifferences(PlannedRun run) =>
        !File.Exists(RecordOf(run)) && Kept(run) is { } kept ? DifferencesOf(kept, run) : [];

    private StudyRecord? Kept(PlannedRun run)
    {
        var path = Path.Combine(KeptBeside(plan.Study), NameOf(run));
        return countsKept && File.Exists(path) ? StudyRecord.Read(path) : null;
    }

    private List<string> DifferencesOf(StudyRecord record, PlannedRun run)
    {
        var wanted = StudyIdentity.Of(plan, run);
        return
        [
            .. record.Variant == run.Row && record.Seed == run.Seed ? [] : (string[])[$"it is of {record.Variant}/{record.Seed}"],
            .. StudyIdentity.Differences(StudyIdentity.Completed(record.Configuration, wanted), wanted),
            .. StudyIdentity.Differences(record.Images, StudyIdentity.ImagesOf(plan, run))
                .Select(d => $"the images of {d.Split(" was ")[0]} are others"),
        ];
    }

    /// <summary>Refuses a run that was begun otherwise, which would otherwise be gone on with.</summary>
    public void RequireSameRun(PlannedRun run)
    {
        var path = RunFolderOf(run);
        if (!RunFolder.HoldsRun(path)) return;
        var begun = PretrainOptions.Load(Path.Combine(path, "config.yaml"));
        var wanted = StudyTraining.Laid(run, run.Variant.Steps ?? 1);
        if (StudyIdentity.Differences(begun, wanted, run.Variant.Steps is not null) is { Count: > 0 } differ)
            throw new JepaException(
                $"The run in {path} was begun otherwise: {string.Join("; ", differ)}. Put the study back, give another --out, or remove the run.",
                isUsage: true);
    }

    private static string NameOf(PlannedRun run) => string.Create(CultureInfo.InvariantCulture, $"{run.Row}.seed-{run.Seed}.json");
}
