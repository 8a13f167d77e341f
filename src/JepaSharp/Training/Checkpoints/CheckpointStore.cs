using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;
using JepaSharp.Weights;

namespace JepaSharp.Training.Checkpoints;

/// <summary>Keeps a run's checkpoints: the latest, and those of finished epochs as far as the configuration wants them.</summary>
/// <remarks>
/// A checkpoint is written under a temporary name and gets its real one by renaming; the latest one's predecessor is moved aside
/// before and removed after, so that at every moment at least one complete checkpoint is on disk (<see cref="Newest"/> finds it).
/// </remarks>
internal sealed class CheckpointStore(RunFolder folder, LoggingOptions logging, ITrainingObserver observer)
{
    private const string Partial = ".partial";
    private const string Previous = ".previous";
    private long _latest = -1;

    /// <summary>The newest complete checkpoint of a run.</summary>
    /// <exception cref="JepaException">There is none.</exception>
    public static string Newest(RunFolder folder)
    {
        string[] candidates = [folder.LatestCheckpoint, folder.LatestCheckpoint + Previous, .. Epochs(folder).AsEnumerable().Reverse()];
        return candidates.FirstOrDefault(c => File.Exists(Path.Combine(c, "state.json")))
            ?? throw new JepaException($"{folder.Checkpoints} holds no complete checkpoint to resume from. Start the run again in another folder.", isUsage: true);
    }

    /// <summary>Writes the latest checkpoint, unless it is there already.</summary>
    public void WriteLatest(Pretrainer run)
    {
        if (run.Step.StepCount == _latest) return;
        var partial = folder.LatestCheckpoint + Partial;
        DeleteFolder(partial);
        Directory.CreateDirectory(partial);
        var epochs = (int)(run.Step.StepCount / run.StepsPerEpoch);
        TrainingCheckpoint.Write(partial, run.Step, new TrainingCheckpoint.State(run.Step.StepCount, epochs, run.Source.Count, run.Step.OptimizerStart), Metadata(run, epochs));
        observer.OnCheckpoint(run.Step.StepCount);

        var previous = folder.LatestCheckpoint + Previous;
        if (Directory.Exists(folder.LatestCheckpoint))
        {
            DeleteFolder(previous);
            Directory.Move(folder.LatestCheckpoint, previous);
        }

        Directory.Move(partial, folder.LatestCheckpoint);
        DeleteFolder(previous);
        _latest = run.Step.StepCount;
    }

    /// <summary>Writes the latest checkpoint and keeps it under the number of finished epochs too; drops what need not be kept any longer.</summary>
    public void WriteEpoch(Pretrainer run, int epochs)
    {
        WriteLatest(run);
        var target = folder.EpochCheckpoint(epochs);
        var partial = target + Partial;
        DeleteFolder(target);
        DeleteFolder(partial);
        Directory.CreateDirectory(partial);
        foreach (var file in Directory.EnumerateFiles(folder.LatestCheckpoint)) File.Copy(file, Path.Combine(partial, Path.GetFileName(file)));
        Directory.Move(partial, target);
        Prune();
    }

    private static Dictionary<string, string> Metadata(Pretrainer run, int epochs)
    {
        var (mean, std) = (run.Plan.Options.Data.Mean, run.Plan.Options.Data.Std);
        var normalization = new PixelNormalization([mean.Red, mean.Green, mean.Blue], [std.Red, std.Green, std.Blue]);
        var texts = WeightsMetadata.Describe(
            run.Plan.Encoder, run.Plan.Predictor, normalization, epochs, run.Plan.Options.Data.Interpolation == Interpolation.Bicubic ? 3 : 2);
        texts["step"] = run.Step.StepCount.ToString(CultureInfo.InvariantCulture);
        return texts;
    }

    private static List<string> Epochs(RunFolder folder) => !Directory.Exists(folder.Checkpoints)
        ? []
        : [.. Directory.EnumerateDirectories(folder.Checkpoints, "epoch-*").Where(d => EpochOf(d) is not null).OrderBy(EpochOf)];

    private static int? EpochOf(string directory) =>
        int.TryParse(Path.GetFileName(directory)["epoch-".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) ? epoch : null;

    private void Prune()
    {
        if (logging.KeepLast is not { } keep) return;
        foreach (var old in Epochs(folder).SkipLast(keep))
        {
            if (logging.KeepEvery is { } every && EpochOf(old) % every == 0) continue;
            DeleteFolder(old);
        }
    }

    private static void DeleteFolder(string path)
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    }
}
