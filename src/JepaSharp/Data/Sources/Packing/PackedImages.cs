using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Packing;

/// <summary>
/// The images of a <c>.jepapack</c> file, with the names, labels and columns of the source they came from. The file must not change meanwhile.
/// </summary>
/// <remarks>Each image carries a checksum that is compared whenever it is read.</remarks>
public sealed class PackedImages : ImageSource
{
    private readonly string _path;
    private readonly MappedFile _file;
    private readonly PackIndex _index;
    private readonly DecodingLimits _limits;

    /// <summary>Opens a pack and checks its index.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">What to refuse by an image's size.</param>
    /// <exception cref="JepaException">The file is missing, no pack, or damaged.</exception>
    public PackedImages(string path, DecodingLimits? limits = null)
    {
        (_path, _limits) = (Path.GetFullPath(path), limits ?? DecodingLimits.Default);
        try
        {
            _file = new MappedFile(RegularFile.OpenHandle(_path, FileOptions.RandomAccess), _path);
            try
            {
                _index = new PackIndex(_file);
            }
            catch
            {
                _file.Dispose();
                throw;
            }
        }
        catch (InvalidDataException e)
        {
            throw new JepaException($"{path} cannot be used as a pack: {e.Message} Write it again with `jepa pack`.", isUsage: true, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{path} cannot be read: {e.Message}", isUsage: true, e);
        }
    }

    /// <inheritdoc/>
    public override int Count => _index.Count;

    /// <inheritdoc/>
    public override string Description => _path;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _index.Classes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Columns => _index.Columns;

    /// <inheritdoc/>
    public override string NameOf(int index) => OrIfCutShort(() => _index.NameOf(Checked(index)), $"image {index}");

    /// <inheritdoc/>
    public override int? LabelOf(int index) =>
        _index.EntryOf(Checked(index)).Label is var label && label >= 0 && label < Classes.Count ? label : null;

    /// <inheritdoc/>
    public override double? ValueOf(int index, string column)
    {
        for (var c = 0; c < Columns.Count; c++)
            if (Columns[c] == column) return _index.ValueOf(Checked(index), c) is var value && double.IsNaN(value) ? null : value;
        return base.ValueOf(index, column);
    }

    /// <inheritdoc/>
    public override long StoredBytes(int index) =>
        OrIfCutShort(() => _index.EntryOf(Checked(index)) is { Encoding: PackLayout.Encoded } entry ? entry.Length : 0L, 0L);

    /// <inheritdoc/>
    public override OpenedImage Open(int index)
    {
        try
        {
            return OpenEntry(index, _index.EntryOf(Checked(index)));
        }
        catch (FileCutShortException e)
        {
            throw CutShort(index, e);
        }
    }

    private OpenedImage OpenEntry(int index, PackEntry entry)
    {
        if (entry.Offset < PackLayout.HeadBytes || entry.Offset > _index.ImagesEnd - entry.Length || entry.Length > Array.MaxLength)
            throw new ImageUnreadableException(NameOf(index), "the pack's index is damaged: the image lies outside the pack.");
        ImageDecoder.Check(NameOf(index), entry.Width, entry.Height, _limits);
        if (entry.Encoding == PackLayout.Encoded)
        {
            var bytes = _file.View(entry.Offset, entry.Length).ToArray();
            if (Crc32C.Of(bytes) != entry.Crc) throw Damaged(index);
            return ImageDecoder.Open(bytes, NameOf(index), _limits);
        }

        if (entry.Encoding != PackLayout.Raw || 3L * entry.Width * entry.Height != entry.Length)
            throw new ImageUnreadableException(NameOf(index), "the pack's index is damaged: the image is not of the size that it says.");
        return new RawImage(this, index, entry);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _file.Dispose();
        base.Dispose(disposing);
    }

    // The index stands at the end of the file, so that it is the first to go.
    private static T OrIfCutShort<T>(Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (FileCutShortException)
        {
            return otherwise;
        }
    }

    private ImageUnreadableException CutShort(int index, FileCutShortException cause) =>
        new(NameOf(index), "the pack was cut short while it was being read.", cause);

    private ImageUnreadableException Damaged(int index) => new(NameOf(index), "the bytes in the pack are damaged: the checksum differs.");

    private int Checked(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return index;
    }

    private sealed class RawImage(PackedImages pack, int index, PackEntry entry) : OpenedImage
    {
        public override string Name => pack.NameOf(index);

        public override int Width => entry.Width;

        public override int Height => entry.Height;

        public override RgbImage Decode() => new(Width, Height, Pixels().ToArray());

        public override long MemoryToDecode(in DecodeRequest request) => Math.Min(entry.Length, Math.Max(PixelBuffer.BandBytes, 3L * Width));

        public override PixelRegion DecodeRegion(in DecodeRequest request, PixelBuffer buffer)
        {
            var bytes = buffer.Reserve(entry.Length);
            Pixels().CopyTo(bytes);
            return new PixelRegion(bytes, 3, PixelBox.Whole(Width, Height), 3 * Width);
        }

        internal override void DecodeBands(in DecodeRequest request, PixelBuffer buffer, TakeBand take)
        {
            var pixels = Pixels();
            var (stride, end) = (3 * Width, request.Box.Top + request.Box.Height);
            var most = Math.Clamp(PixelBuffer.BandBytes / stride, 1, request.Box.Height);
            for (var top = request.Box.Top; top < end; top += most)
            {
                var rows = Math.Min(most, end - top);
                var bytes = buffer.Reserve((long)stride * rows);
                pixels.Slice(top * stride, rows * stride).CopyTo(bytes);
                take(new PixelRegion(bytes, 3, new PixelBox(0, top, Width, rows), stride));
            }
        }

        private ReadOnlySpan<byte> Pixels()
        {
            try
            {
                var pixels = pack._file.View(entry.Offset, entry.Length);
                return Crc32C.Of(pixels) == entry.Crc ? pixels : throw pack.Damaged(index);
            }
            catch (FileCutShortException e)
            {
                throw pack.CutShort(index, e);
            }
        }
    }
}
