using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Studies;

/// <summary>A study's folder: where records and runs are, and whether they are those that are asked for.</summary>
internal sealed class StudyFiles(StudyPlan plan, string folder)
{
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
        return Path.Combine(folder, "records", string.Create(CultureInfo.InvariantCulture, $"{run.Row}.seed-{run.Seed}.json"));
    }

    /// <summary>The run's record; null where there is none.</summary>
    public StudyRecord? Found(PlannedRun run)
    {
        var path = RecordOf(run);
        if (!File.Exists(path)) return null;
        var (record, wanted) = (StudyRecord.Read(path), StudyIdentity.Of(plan, run));
        string[] differ =
        [
            .. record.Variant == run.Row && record.Seed == run.Seed ? [] : (string[])[$"it is of {record.Variant}/{record.Seed}"],
            .. StudyIdentity.Differences(StudyIdentity.Completed(record.Configuration, wanted), wanted),
            .. StudyIdentity.Differences(record.Images, StudyIdentity.ImagesOf(plan, run))
                .Select(d => $"the images of {d.Split(" was ")[0]} are others"),
        ];
        return differ.Length == 0 ? record : throw new JepaException(
            $"{path} is the record of another run: {string.Join("; ", differ)}. Put the study back, give another --out, or remove the record: the "
                + "run is then made as it is asked for now.", isUsage: true);
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
}
