using JepaSharp.Data.Cropping;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Data.Loading;

/// <summary>What an <see cref="ImageLoader"/> makes of its source.</summary>
public sealed record ImageLoaderOptions
{
    /// <summary>B, images in a batch (of this process).</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>What is made of each image; one crop of it where nothing is said.</summary>
    public IReadOnlyList<View> Views { get; init; } = [new View("image", new TrainingTransform())];

    /// <summary>The run's seed.</summary>
    public ulong Seed { get; init; }

    /// <summary>Threads that decode; by default one for each core that this process works on.</summary>
    public int Threads { get; init; } = RankCores.Count;

    /// <summary>Batches that are prepared ahead, at most. One more is held by whoever consumes them.</summary>
    public int PrefetchBatches { get; init; } = 2;

    /// <summary>
    /// Bound on what the loader holds at a time, in units of 2^20 bytes: a quarter for batches, of which fewer are prepared ahead where they do not
    /// fit, the rest for images being decoded, which is shared with all in this process that decode within the same bound.
    /// </summary>
    public int MemoryMegabytes { get; init; } = DecodingBound.Megabytes;

    /// <summary>What to do about an image that cannot be read.</summary>
    public UnreadablePolicy OnUnreadable { get; init; } = UnreadablePolicy.Skip;

    /// <summary>With <see cref="UnreadablePolicy.Skip"/>, the share of unreadable images above which loading stops; four are always
    /// tolerated.</summary>
    public double MaxUnreadableShare { get; init; } = 0.01;

    /// <summary>This process's number in data-parallel training, from 0.</summary>
    public int Rank { get; init; }

    /// <summary>Processes in data-parallel training. They take turns at the batches of an epoch: of every <see cref="BatchesInTurn"/> times this
    /// many, process r loads the r-th <see cref="BatchesInTurn"/>.</summary>
    public int WorldSize { get; init; } = 1;

    /// <summary>Batches that lie together for one process, where there are several.</summary>
    public int BatchesInTurn { get; init; } = 1;

    /// <summary>Refuses what cannot be meant.</summary>
    /// <exception cref="JepaException">An option is out of range; all that are, are named.</exception>
    public void Validate()
    {
        var problems = new List<string>();
        void Require(bool condition, string problem)
        {
            if (!condition) problems.Add(problem);
        }

        Require(BatchSize >= 1, $"batch size {BatchSize}: at least 1.");
        Require(Views.Count > 0, "no view of an image: at least one.");
        Require(Threads >= 1, $"{Threads} loader threads: at least 1.");
        Require(PrefetchBatches >= 1, $"{PrefetchBatches} batches ahead: at least 1.");
        Require(MemoryMegabytes >= LoaderMemory.LeastMegabytes, $"memory of {MemoryMegabytes} MB: at least {LoaderMemory.LeastMegabytes}.");
        Require(MaxUnreadableShare is >= 0 and <= 1, $"tolerated share of unreadable images {MaxUnreadableShare}: between 0 and 1.");
        Require(WorldSize >= 1 && Rank >= 0 && Rank < WorldSize, $"rank {Rank} of {WorldSize} processes: from 0 to one less than their number.");
        Require(BatchesInTurn >= 1, $"{BatchesInTurn} batches in a turn: at least 1.");
        foreach (var (transform, count) in Views.Select(v => (v.Transform, v.Count)))
        {
            var crop = transform.Crop;
            Require(count >= 1, $"{count} crops of a view: at least 1.");
            Require(transform.CropSize >= 1, $"crop size {transform.CropSize}: at least 1 pixel.");
            Require(
                crop.MinScale > 0 && crop.MinScale <= crop.MaxScale && crop.MaxScale <= 1,
                $"crop scale {crop.MinScale} to {crop.MaxScale}: above 0, rising, at most 1.");
            Require(crop.MinAspect > 0 && crop.MinAspect <= crop.MaxAspect,
                $"crop aspect ratio {crop.MinAspect} to {crop.MaxAspect}: above 0 and rising.");
        }

        if (problems.Count > 0)
            throw new JepaException("The loader's options are not usable:\n" + string.Join('\n', problems.Select(p => "  " + p)), isUsage: true);
    }
}
