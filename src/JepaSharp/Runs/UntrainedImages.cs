using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Runs;

/// <summary>The images that a run could not train on because they could not be read, those met before a resume included, and the list of them in its
/// folder.</summary>
/// <param name="LeftOut">How many, and which for example.</param>
/// <param name="List">Where the list is, or why it is not.</param>
internal sealed record UntrainedImages(LeftOutImages LeftOut, string List)
{
    /// <summary>What a user is told.</summary>
    public string Note => $"note: {LeftOut.Sentence} {List}";

    /// <summary>Writes the list.</summary>
    /// <param name="trainer">The run.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="set">What the images are called.</param>
    /// <returns>null where all images could be read.</returns>
    public static UntrainedImages? Write(Trainer trainer, string folder, string set = "training images")
    {
        var path = Path.Combine(folder, UnreadableReport.FileName);
        var met = trainer.Unreadable;
        string list;
        try
        {
            met = UnreadableReport.Joined(UnreadableReport.Read(path), met);
            if (met.Count == 0) return null;
            UnreadableReport.Write(path, met);
            list = $"Which and why: {path}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JepaException)
        {
            list = $"The list of them cannot be written: {e.Message}";
        }

        return Counted(set, met, trainer.Source) is { } leftOut ? new UntrainedImages(leftOut, list) : null;
    }

    /// <summary>How many of a set they are.</summary>
    public static LeftOutImages? Counted(string set, IReadOnlyList<ImageUnreadableException> met, ImageSource source) =>
        LeftOutImages.Of(set, met.Count, source.Count, met.Count == 0 ? null : met[0].Name);
}
