using System.Security.Cryptography;
using System.Text;
using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Evaluation.Features;

/// <summary>What was made of a batch of images.</summary>
/// <param name="Indices">[B], the images.</param>
/// <param name="Values">Of each kind, float32 row-major.</param>
internal sealed record BatchFeatures(int[] Indices, float[][] Values)
{
    /// <summary>As bytes, and whether a stop was asked for, and what could not be read since the last.</summary>
    public byte[] Pack(bool isAsked, IEnumerable<ImageUnreadableException> unreadable)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(isAsked);
        ImageUnreadableException[] left = [.. unreadable];
        writer.Write(left.Length);
        foreach (var image in left)
        {
            writer.Write(image.Name);
            writer.Write(image.Reason);
        }

        writer.Write(Indices.Length);
        foreach (var index in Indices) writer.Write(index);
        writer.Write(Values.Length);
        foreach (var values in Values)
        {
            writer.Write(values.Length);
            writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
        }

        writer.Flush();
        return bytes.ToArray();
    }

    /// <summary>The opposite.</summary>
    public static (BatchFeatures Batch, bool IsAsked, List<ImageUnreadableException> Unreadable) Unpack(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        var isAsked = reader.ReadBoolean();
        var unreadable = new List<ImageUnreadableException>();
        for (var left = reader.ReadInt32(); left > 0; left--) unreadable.Add(new ImageUnreadableException(reader.ReadString(), reader.ReadString()));
        var indices = new int[reader.ReadInt32()];
        for (var i = 0; i < indices.Length; i++) indices[i] = reader.ReadInt32();
        var values = new float[reader.ReadInt32()][];
        for (var k = 0; k < values.Length; k++)
        {
            values[k] = new float[reader.ReadInt32()];
            reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values[k].AsSpan()));
        }

        return (new BatchFeatures(indices, values), isAsked, unreadable);
    }
}

/// <summary>Images once, in order, batch by batch, of which each rank works on some: batch k is rank k mod R's, and the first gets them all in their
/// order.</summary>
/// <remarks>The batches are those of one process, so that what is made of them is the same to the bit.</remarks>
/// <param name="ranks">All of them; each makes the same passes.</param>
/// <param name="source">The images.</param>
/// <param name="transform">How an image is brought to size.</param>
/// <param name="batchSize">Images in a batch.</param>
internal sealed class SharedPass(Collective ranks, ImageSource source, EvaluationTransform transform, int batchSize)
{
    private const double MaxUnreadable = 0.01;

    private readonly ImageReader _reader = new(source, transform, batchSize, maxUnreadableShare: MaxUnreadable);
    private readonly List<ImageUnreadableException> _elsewhere = [];
    private int _said;

    /// <summary>Whether it ended because a rank was asked to stop.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>The images that could not be read; of all ranks on the first.</summary>
    public IReadOnlyList<ImageUnreadableException> Unreadable => [.. _reader.Unreadable, .. _elsewhere];

    /// <summary>Refuses ranks that do not find the same images.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="source">What this one finds.</param>
    /// <exception cref="JepaException">They differ; thrown on all ranks alike.</exception>
    public static void RequireAlike(Collective ranks, ImageSource source)
    {
        if (ranks.Size == 1) return;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < source.Count; i++) hash.AppendData(Encoding.UTF8.GetBytes(source.NameOf(i) + "\n"));
        var found = ranks.Gather(Encoding.UTF8.GetBytes($"{source.Count:N0} images {Convert.ToHexStringLower(hash.GetHashAndReset())}"))
            .Select(bytes => Encoding.UTF8.GetString(bytes)).ToList();
        var other = found.FindIndex(f => f != found[0]);
        if (other < 0) return;
        string CountOf(int rank) => found[rank][..found[rank].LastIndexOf(' ')];
        throw new JepaException(
            $"{ranks.NameOf(other)} finds other images than rank 0 ({CountOf(other)}, rank 0 {CountOf(0)}, by their names): {source.Description}. "
                + "All processes need the same images under the same path.", isUsage: true);
    }

    /// <summary>What is made of each batch: all of them on the first rank, none on the others, which work as long.</summary>
    /// <param name="first">Image to begin at.</param>
    /// <param name="features">What to make of a batch, of each kind.</param>
    /// <param name="stop">Ends it, on all ranks, after the batches at hand.</param>
    /// <exception cref="JepaException">Too many images cannot be read, or another rank could not go on.</exception>
    public IEnumerable<BatchFeatures> Over(int first, Func<ImageBatch, float[][]> features, CancellationToken stop)
    {
        if (ranks.Size > 1)
        {
            foreach (var batch in Shared(first, features, stop)) yield return batch;
            yield break;
        }

        foreach (var batch in _reader.Read(Enumerable.Range(first, source.Count - first).ToArray(), CancellationToken.None))
        {
            yield return new BatchFeatures(batch.Indices[..batch.Count], features(batch));
            if (!stop.IsCancellationRequested) continue;
            IsStopped = true;
            yield break;
        }
    }

    private IEnumerable<BatchFeatures> Shared(int first, Func<ImageBatch, float[][]> features, CancellationToken stop)
    {
        var count = source.Count - first;
        var batches = (count + batchSize - 1) / batchSize;
        int[] own = [.. Enumerable.Range(0, count).Where(place => place / batchSize % ranks.Size == ranks.Rank).Select(place => first + place)];
        using var mine = _reader.ReadAll(own).GetEnumerator();
        for (var turn = 0; turn < batches && !IsStopped; turn += ranks.Size)
        {
            var made = turn + ranks.Rank < batches && mine.MoveNext() && mine.Current is { Count: > 0 } batch
                ? new BatchFeatures(batch.Indices[..batch.Count], features(batch))
                : new BatchFeatures([], []);
            var all = ranks.Collect(made.Pack(stop.IsCancellationRequested, _reader.Unreadable.Skip(_said)))?.Select(BatchFeatures.Unpack).ToList();
            _said = _reader.Unreadable.Count;
            if (all is not null)
            {
                _elsewhere.AddRange(all.Skip(1).SelectMany(a => a.Unreadable));
                RequireReadable();
            }

            IsStopped = ranks.Share(all is null ? null : [all.Exists(a => a.IsAsked) ? (byte)1 : (byte)0])[0] != 0;
            foreach (var part in all ?? [])
            {
                if (part.Batch.Indices.Length > 0) yield return part.Batch;
            }
        }
    }

    private void RequireReadable()
    {
        var left = Unreadable;
        if (left.Count <= UnreadableImages.Most(MaxUnreadable, source.Count)) return;
        throw new JepaException(
            $"{left.Count:N0} of the {source.Count:N0} images in {source.Description} cannot be read, as {ranks.Size} processes found together. "
                + $"Among them:\n{string.Join('\n', left.Take(5).Select(image => "  " + image.Message))}");
    }
}
