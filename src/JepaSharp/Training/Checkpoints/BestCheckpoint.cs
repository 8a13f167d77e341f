using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Training.Checkpoints;

/// <summary>What a run hands over: <c>checkpoints/best</c>, one of its checkpoints, which wins where a run folder is given for weights.</summary>
/// <remarks>A copy, so that it stays when the checkpoint it was made of is dropped. Nothing is resumed from it, and a run that goes on takes it away
/// first, since it speaks of the run as it ended before.</remarks>
internal static class BestCheckpoint
{
    /// <summary>The folder's name.</summary>
    public const string Name = "best";

    /// <summary>The file that says why it is the best, a sentence.</summary>
    public const string Why = "why.txt";

    /// <summary>Hands over a checkpoint of a run in place of what was handed over before.</summary>
    /// <param name="checkpoint">A folder beside which it will be.</param>
    /// <param name="why">A sentence.</param>
    /// <returns>Its folder.</returns>
    /// <exception cref="IOException">It cannot be written; what was handed over before is still there, or nothing.</exception>
    public static string Keep(string checkpoint, string why)
    {
        var best = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(checkpoint))!, Name);
        CheckpointFolders.WriteBeside(best, partial =>
        {
            CheckpointFolders.Copy(checkpoint, partial);
            DurableFile.Write(Path.Combine(partial, Why), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(why + "\n")));
        });
        CheckpointFolders.DeleteFolder(best);
        Renaming.OfFolder(best + CheckpointFolders.Partial, best);
        return best;
    }

    /// <summary>Takes away what was handed over.</summary>
    /// <param name="run">The run, which goes on.</param>
    public static void Withdraw(RunFolder run) => CheckpointFolders.DeleteFolder(run.BestCheckpoint);
}
