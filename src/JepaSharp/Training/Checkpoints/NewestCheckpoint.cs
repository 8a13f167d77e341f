using JepaSharp.Runtime;

namespace JepaSharp.Training.Checkpoints;

/// <summary>The checkpoint that a resume goes on from.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="Damaged">What newer ones are damaged and how, a sentence each.</param>
internal sealed record NewestCheckpoint(string Path, IReadOnlyList<string> Damaged)
{
    /// <summary>Finds the newest whole one: a damaged one is named, and the one before it is taken.</summary>
    /// <exception cref="JepaException">There is none.</exception>
    public static NewestCheckpoint Of(RunFolder folder)
    {
        var damaged = new List<string>();
        var readable = new List<(string Path, CheckpointState State)>();
        foreach (var path in new CheckpointFolders(folder).Candidates())
        {
            try
            {
                readable.Add((path, CheckpointState.Read(path)));
            }
            catch (JepaException e)
            {
                damaged.Add(e.Message);
            }
        }

        foreach (var (path, state) in readable.OrderByDescending(c => c.State.Step))
        {
            try
            {
                state.Verify(path);
                return new NewestCheckpoint(path, damaged);
            }
            catch (JepaException e)
            {
                damaged.Add(e.Message);
            }
        }

        throw new JepaException(
            $"{folder.Checkpoints} holds no complete checkpoint to resume from. {string.Concat(damaged.Select(d => d + " "))}Start the run again in another folder.", isUsage: true);
    }
}
