using System.Buffers.Binary;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Decoding;

/// <summary>The first frame of a GIF (GIF89a), with the palette's own colours also where a pixel is transparent.</summary>
/// <remarks>Outside of the frame the canvas has the transparent colour or, without one, the palette's first, as in Pillow.</remarks>
internal sealed class GifImage : StoredImage
{
    private readonly FileBytes _file;
    private readonly GifFrame _frame;

    private GifImage(FileBytes file, string name, GifFrame frame) => (_file, Name, _frame) = (file, name, frame);

    public override string Name { get; }

    public override string Format => "gif";

    public override bool HasFurtherFrames => _frame.IsFollowedByAnother(_file.Span);

    public override uint ContentChecksum() => Crc32C.Of(_file.Span);

    protected override int StoredWidth => _frame.CanvasWidth;

    protected override int StoredHeight => _frame.CanvasHeight;

    /// <summary>Takes the file over, unless it throws.</summary>
    public static GifImage Open(FileBytes file, string name, DecodingLimits limits)
    {
        var frame = GifFrame.First(file.Span) ?? throw new ImageUnreadableException(name, "the gif header is damaged or cut short.");
        ImageDecoder.Check(name, frame.CanvasWidth, frame.CanvasHeight, limits);
        ImageDecoder.Check(name, frame.Width, frame.Height, limits);
        return new GifImage(file, name, frame);
    }

    protected override long StoredMemory(PixelBox box, int reduction)
    {
        var stride = 4L * box.Width;
        return _file.Length + (stride * RowsOf(PixelBuffer.BandBytes, stride, box.Height)) + (
            _frame.IsInterlaced ? (long)_frame.Width * _frame.Height : _frame.Width);
    }

    protected override void DecodeStored(PixelBox box, int reduction, PixelBuffer buffer, long bandBytes, TakeBand take)
    {
        var stride = 4 * box.Width;
        var most = RowsOf(bandBytes, stride, box.Height);
        var bytes = buffer.Reserve((long)stride * most);
        var reader = new GifPixels(_file, _frame.DataOffset);
        var indices = new byte[_frame.IsInterlaced ? checked(_frame.Width * _frame.Height) : _frame.Width];
        if (_frame.IsInterlaced) ReadInterlaced(reader, indices);
        else for (var y = _frame.Top; y < Math.Min(box.Top, _frame.Top + _frame.Height); y++) Read(reader, indices);
        for (var top = box.Top; top < box.Top + box.Height; top += most)
        {
            var rows = Math.Min(most, box.Top + box.Height - top);
            for (var y = 0; y < rows; y++)
            {
                var line = top + y - _frame.Top;
                var isInFrame = line >= 0 && line < _frame.Height;
                if (isInFrame && !_frame.IsInterlaced) Read(reader, indices);
                var row = isInFrame ? indices.AsSpan(_frame.IsInterlaced ? line * _frame.Width : 0, _frame.Width) : default;
                Paint(row, box, bytes.AsSpan(y * stride, stride));
            }

            take(new PixelRegion(bytes, 4, new PixelBox(box.Left, top, box.Width, rows), stride));
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _file.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Four passes: every eighth row, those in the middle of them, of these, and the odd ones.</summary>
    private void ReadInterlaced(GifPixels reader, byte[] indices)
    {
        foreach (var (first, step) in ((int, int)[])[(0, 8), (4, 8), (2, 4), (1, 2)])
            for (var y = first; y < _frame.Height; y += step) Read(reader, indices.AsSpan(y * _frame.Width, _frame.Width));
    }

    private void Read(GifPixels reader, Span<byte> row)
    {
        if (reader.Read(row) is { } reason) throw new ImageUnreadableException(Name, $"the gif data is {reason}.");
    }

    /// <summary>The colours of one row of the canvas.</summary>
    /// <param name="row">Indices of the frame's row; empty above and below it.</param>
    /// <param name="box">Columns wanted.</param>
    /// <param name="pixels">[box.Width, 4].</param>
    private void Paint(ReadOnlySpan<byte> row, PixelBox box, Span<byte> pixels)
    {
        for (int x = box.Left - _frame.Left, to = 0; to < pixels.Length; x++, to += 4)
        {
            var colour = 3 * ((uint)x < (uint)row.Length ? row[x] : _frame.Background);
            _frame.Palette.AsSpan(colour, 3).CopyTo(pixels[to..]);
            pixels[to + 3] = 255;
        }
    }
}

/// <summary>Where the first frame of a GIF lies, and its colours.</summary>
internal sealed record GifFrame(
    int CanvasWidth, int CanvasHeight, int Left, int Top, int Width, int Height, bool IsInterlaced, byte[] Palette, byte Background, int DataOffset)
{
    private const int HeadBytes = 13, DescriptorBytes = 10;
    private const byte Extension = 0x21, Descriptor = 0x2c, GraphicControl = 0xf9;

    /// <summary>Reads up to the first frame; null where there is none.</summary>
    public static GifFrame? First(ReadOnlySpan<byte> gif)
    {
        if (gif.Length < HeadBytes) return null;
        var (palette, at) = PaletteAt(gif, HeadBytes, gif[10], otherwise: null);
        int? transparent = null;
        while (at < gif.Length)
        {
            switch (gif[at])
            {
                case Extension when at + 1 < gif.Length:
                    // A graphic control: a block of four bytes, of which the first says whether the last is the transparent colour.
                    if (gif[at + 1] == GraphicControl && at + 7 <= gif.Length && gif[at + 2] >= 4 && (gif[at + 3] & 1) != 0)
                        transparent = gif[at + 6];
                    at = AfterBlocks(gif, at + 2);
                    break;
                case Descriptor when at + DescriptorBytes < gif.Length:
                    return OfDescriptor(gif, at, palette, transparent);
                case 0:
                    at++; // some writers leave a block end too many
                    break;
                default:
                    return null;
            }
        }

        return null;
    }

    /// <summary>Whether a second frame follows.</summary>
    public bool IsFollowedByAnother(ReadOnlySpan<byte> gif)
    {
        var at = AfterBlocks(gif, DataOffset + 1);
        while (at + 1 < gif.Length && gif[at] is Extension or 0) at = gif[at] == 0 ? at + 1 : AfterBlocks(gif, at + 2);
        return at < gif.Length && gif[at] == Descriptor;
    }

    private static GifFrame OfDescriptor(ReadOnlySpan<byte> gif, int at, byte[]? palette, int? transparent)
    {
        int Number(ReadOnlySpan<byte> from) => BinaryPrimitives.ReadUInt16LittleEndian(from);
        var (left, top, width, height) = (Number(gif[(at + 1)..]), Number(gif[(at + 3)..]), Number(gif[(at + 5)..]), Number(gif[(at + 7)..]));
        var flags = gif[at + 9];
        (palette, var data) = PaletteAt(gif, at + DescriptorBytes, flags, palette);
        var (canvasWidth, canvasHeight) = (Math.Max(Number(gif[6..]), left + width), Math.Max(Number(gif[8..]), top + height));
        return new GifFrame(
            canvasWidth, canvasHeight, left, top, width, height, (flags & 0x40) != 0, palette ?? Greys(), (byte)(transparent ?? 0), data);
    }

    /// <summary>A palette of 2 to 256 colours where the flags say that there is one, and where what follows begins. Further colours are
    /// black.</summary>
    private static (byte[]? Palette, int End) PaletteAt(ReadOnlySpan<byte> gif, int at, byte flags, byte[]? otherwise)
    {
        if ((flags & 0x80) == 0) return (otherwise, at);
        var bytes = 3 * (2 << (flags & 7));
        var palette = new byte[3 * 256];
        var there = Math.Clamp(gif.Length - at, 0, bytes);
        gif.Slice(Math.Min(at, gif.Length), there).CopyTo(palette);
        return (palette, at + bytes);
    }

    private static byte[] Greys() => [.. Enumerable.Range(0, 256).SelectMany(level => Enumerable.Repeat((byte)level, 3))];

    /// <summary>Behind a chain of blocks, each a length and so many bytes; a length of zero ends it.</summary>
    private static int AfterBlocks(ReadOnlySpan<byte> gif, int at)
    {
        while (at < gif.Length && gif[at] != 0) at += 1 + gif[at];
        return at + 1;
    }
}
