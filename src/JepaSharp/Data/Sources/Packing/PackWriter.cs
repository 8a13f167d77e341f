using System.Buffers.Binary;
using JepaSharp.Data.Loading;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Packing;

/// <summary>What was packed.</summary>
/// <param name="Count">Images in the pack.</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="Unreadable">Images that could not be read and were left out.</param>
/// <param name="KeptAsPixels">Names of images that were to be JPEGs and are stored as pixels, since a JPEG cannot have their size.</param>
public sealed record PackResult(long Count, long Bytes, IReadOnlyList<ImageUnreadableException> Unreadable, IReadOnlyList<string> KeptAsPixels);

/// <summary>Writes a source into one file of prepared images that <see cref="PackedImages"/> reads.</summary>
public static class PackWriter
{
    /// <summary>What the files are called.</summary>
    public const string Extension = ".jepapack";

    private const string Unfinished = ".unfinished";

    /// <summary>Prepares and writes every image in the source's order. The name appears only when all is written and flushed.</summary>
    /// <param name="source">Any source.</param>
    /// <param name="path">A new file.</param>
    /// <param name="options">How images are prepared; the bytes are the same for any number of threads.</param>
    /// <param name="progress">Told how many images are done.</param>
    /// <param name="cancellation">Stops the work and removes what was written.</param>
    /// <exception cref="JepaException">The file is there already or cannot be written, another process is writing it, or too many images cannot be
    /// read.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public static PackResult Write(
        ImageSource source, string path, PackOptions options, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        RequireNew(path);
        using var claim = OutputLock.Beside(path, "packing images into");
        RequireNew(path); // another process may have finished it meanwhile
        var unfinished = path + Unfinished;
        try
        {
            try
            {
                var result = WriteUnfinished(source, unfinished, options, progress, cancellation);
                Renaming.OfFile(unfinished, path, overwrite: true);
                return result;
            }
            catch
            {
                File.Delete(unfinished);
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{path} cannot be written: {e.Message}", inner: e);
        }
    }

    /// <summary>Refuses a file that is there already.</summary>
    /// <param name="path">Where a pack is to be written.</param>
    /// <exception cref="JepaException">It is.</exception>
    public static void RequireNew(string path)
    {
        if (File.Exists(path)) throw new JepaException($"{path} exists and is not overwritten. Delete it, or give another --out.", isUsage: true);
    }

    private static PackResult WriteUnfinished(
        ImageSource source, string path, PackOptions options, IProgress<int>? progress, CancellationToken cancellation)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        file.Write(new byte[PackLayout.HeadBytes]);
        var index = new PackIndexWriter(source);
        var unreadable = new UnreadableImages(source, options.OnUnreadable, options.MaxUnreadableShare);
        var keptAsPixels = new List<string>();
        var window = new PreparationWindow(source, options, unreadable);
        for (var next = 0; next < source.Count;)
        {
            var end = window.Prepare(next, cancellation);
            for (; next < end; next++)
            {
                if (window.Take(next) is not { } image) continue;
                if (options.JpegQuality is not null && !image.IsEncoded) keptAsPixels.Add(source.NameOf(next));
                index.Add(next, image, file.Position, image.IsEncoded);
                file.Write(image.Bytes);
            }

            progress?.Report(end);
        }

        if (index.Count == 0)
            throw new JepaException(
                $"None of the {source.Count:N0} images in {source.Description} can be read; the first: {unreadable.Met[0].Message}");
        var bytes = index.ToArray();
        var head = Head(index.Count, file.Position, bytes);
        file.Write(bytes);
        file.Position = 0;
        file.Write(head);
        file.Flush(flushToDisk: true);
        return new PackResult(index.Count, file.Length, unreadable.Met, keptAsPixels);
    }

    private static byte[] Head(long count, long indexOffset, byte[] index)
    {
        var head = new byte[PackLayout.HeadBytes];
        PackLayout.Magic.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(8), PackLayout.Version);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(16), count);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(24), indexOffset);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(32), index.LongLength);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(40), Crc32C.Of(index));
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(44), Crc32C.Of(head.AsSpan(0, 44)));
        return head;
    }
}

/// <summary>How images are prepared for a pack.</summary>
public sealed record PackOptions
{
    /// <summary>Shorter side in pixels that larger images are reduced to, with antialiasing; smaller ones stay as they are. Null: none is
    /// resized.</summary>
    public int? ShorterSide { get; init; }

    /// <summary>Quality of the JPEGs that are stored, 1 to 100; null to store pixels as they are.</summary>
    public int? JpegQuality { get; init; }

    /// <summary>Threads that prepare images.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bound on what is held at a time, in units of 2^20 bytes; null for the process's, <see cref="DecodingBound"/>.</summary>
    public int? MemoryMegabytes { get; init; }

    /// <summary>What to do about an image that cannot be read: leave it out of the pack, or stop.</summary>
    public UnreadablePolicy OnUnreadable { get; init; } = UnreadablePolicy.Skip;

    /// <summary>With <see cref="UnreadablePolicy.Skip"/>, the share of unreadable images above which packing stops; four are always
    /// tolerated.</summary>
    public double MaxUnreadableShare { get; init; } = 0.01;

    /// <summary>Refuses what cannot be meant.</summary>
    /// <exception cref="JepaException">An option is out of range.</exception>
    public void Validate()
    {
        if (ShorterSide is < 1 or > 65536) throw new JepaException($"The shorter side is {ShorterSide} pixels. Expected 1 to 65,536.", isUsage: true);
        if (JpegQuality is < 1 or > 100) throw new JepaException($"The JPEG quality is {JpegQuality}. Expected 1 to 100.", isUsage: true);
        if (Threads < 1) throw new JepaException($"{Threads} threads: expected at least 1.", isUsage: true);
        if (MaxUnreadableShare is not (>= 0 and <= 1))
            throw new JepaException($"The tolerated share of unreadable images is {MaxUnreadableShare}. Expected 0 to 1.", isUsage: true);
    }
}
