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
        var partial = best + ".partial";
        if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        Directory.CreateDirectory(partial);
        try
        {
            foreach (var file in Directory.EnumerateFiles(checkpoint))
            {
                var copy = Path.Combine(partial, Path.GetFileName(file));
                File.Copy(file, copy);
                using var handle = File.OpenHandle(copy, FileMode.Open, FileAccess.ReadWrite);
                DiskFlush.File(handle, copy);
            }

            DurableFile.Write(Path.Combine(partial, Why), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(why + "\n")));
            DiskFlush.Folder(partial);
            if (Directory.Exists(best)) Directory.Delete(best, recursive: true);
            Renaming.OfFolder(partial, best);
            return best;
        }
        finally
        {
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
    }

    /// <summary>Takes away what was handed over.</summary>
    /// <param name="run">The run, which goes on.</param>
    public static void Withdraw(RunFolder run)
    {
        if (Directory.Exists(run.BestCheckpoint)) Directory.Delete(run.BestCheckpoint, recursive: true);
    }
}
