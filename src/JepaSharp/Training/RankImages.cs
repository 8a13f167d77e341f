using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using JepaSharp.Training.Checkpoints;

namespace JepaSharp.Training;

/// <summary>The images of a run of several ranks: each opens them itself, and they must be the same everywhere.</summary>
internal static class RankImages
{
    /// <summary>Refuses ranks that do not find the same images.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="source">What this one finds.</param>
    /// <exception cref="JepaException">They differ; thrown on all ranks alike.</exception>
    public static void RequireAlike(Collective ranks, ImageSource source)
    {
        if (ranks.Size == 1) return;
        var seen = ImagesSeen.Of(source);
        var all = ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(new Found(source.Count, source.Description, seen.Names, seen.Contents)))
            .Select(bytes => JsonSerializer.Deserialize<Found>(bytes)!).ToList();
        var other = all.FindIndex(f => f != all[0] with { Description = f.Description });
        if (other < 0) return;
        var (first, second) = (all[0], all[other]);
        var difference = new ImagesSeen(first.Names, first.Contents).DifferenceTo(new ImagesSeen(second.Names, second.Contents), source);
        var found = first.Count != second.Count
            ? $"{Quantity.Of(second.Count, "image")}, where rank 0 finds {first.Count:N0}"
            : $"other images than rank 0{(difference is null ? "" : $": {difference}")}";
        throw new JepaException(
            $"{ranks.NameOf(other)} finds in {second.Description} {found}. All processes need the same images under the same path.", isUsage: true);
    }

    /// <summary>The images that other ranks could not read, for the first one's list.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="own">Those that this one could not read.</param>
    /// <returns>Empty on others than the first.</returns>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public static IReadOnlyList<ImageUnreadableException> Unreadable(Collective ranks, IReadOnlyList<ImageUnreadableException> own)
    {
        var said = ranks.Collect(JsonSerializer.SerializeToUtf8Bytes(own.Select(image => new[] { image.Name, image.Reason })));
        return said is null ? [] : [.. said.Skip(1).SelectMany(bytes => JsonSerializer.Deserialize<string[][]>(bytes)!).Select(
            image => new ImageUnreadableException(image[0], image[1]))];
    }

    /// <summary>Refuses to go on where the ranks together could not read more images than is tolerated.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="unreadable">How many, on all ranks.</param>
    /// <param name="data">What is tolerated.</param>
    /// <param name="source">The images.</param>
    /// <exception cref="JepaException">Too many; thrown on all ranks alike.</exception>
    public static void RequireReadable(Collective ranks, int unreadable, DataOptions data, ImageSource source)
    {
        if (ranks.Size == 1 || unreadable <= UnreadableImages.Most(data.MaxUnreadable, source.Count)) return;
        throw new JepaException(
            $"{unreadable:N0} of the {source.Count:N0} images in {source.Description} cannot be read, as {ranks.Size} processes found together; "
                + FormattableString.Invariant($"{100 * data.MaxUnreadable:0.###} % are tolerated, which data.max_unreadable sets."));
    }

    private sealed record Found(int Count, string Description, string Names, string Contents);
}
