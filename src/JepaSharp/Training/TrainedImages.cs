using System.Globalization;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using JepaSharp.Training.Checkpoints;

namespace JepaSharp.Training;

/// <summary>Holds images against those that a run was trained on.</summary>
public static class TrainedImages
{
    /// <summary>How images differ from a run's own: a clause, or null where they do not, or where the run did not note what its were.</summary>
    /// <param name="runFolder">The run.</param>
    /// <param name="source">The images that its configuration names now.</param>
    public static string? DifferenceTo(string runFolder, ImageSource source)
    {
        try
        {
            var state = CheckpointState.Read(Path.Combine(runFolder, "checkpoints", "latest"));
            if (state.Images != source.Count)
                return string.Create(CultureInfo.InvariantCulture, $"there were {state.Images:n0}, and there are {source.Count:n0}");
            return state.Seen?.DifferenceTo(ImagesSeen.Of(source), source);
        }
        catch (JepaException)
        {
            return null; // a checkpoint that is damaged is said elsewhere
        }
    }
}
