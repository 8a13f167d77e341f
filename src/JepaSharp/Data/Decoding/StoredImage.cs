using System.Runtime.InteropServices;
using JepaSharp.Data.Sources;

namespace JepaSharp.Data.Decoding;

/// <summary>An image as a file stores it: decoded by rows where the format allows it, and turned to be seen upright.</summary>
internal abstract class StoredImage : OpenedImage
{
    public override int Width => Orientation.SwapsAxes ? StoredHeight : StoredWidth;

    public override int Height => Orientation.SwapsAxes ? StoredWidth : StoredHeight;

    /// <summary>How stored pixels are turned.</summary>
    protected Orientation Orientation { get; init; }

    protected abstract int StoredWidth { get; }

    protected abstract int StoredHeight { get; }

    public override RgbImage Decode()
    {
        var image = new RgbImage(Width, Height);
        DecodeBands(
            new DecodeRequest(PixelBox.Whole(Width, Height), Width, Height, AllowScaling: false), new PixelBuffer(), (in band) => band.CopyTo(image));
        return image;
    }

    public override PixelRegion DecodeRegion(in DecodeRequest request, PixelBuffer buffer)
    {
        PixelRegion region = default;
        Decode(request, buffer, long.MaxValue, (in band) => region = band);
        return region;
    }

    public override long MemoryToDecode(in DecodeRequest request)
    {
        var reduction = ReductionFor(request);
        var box = Reduce(Orientation.ToStored(request.Box, StoredWidth, StoredHeight), reduction);
        return StoredMemory(box, reduction) + (Orientation.IsUpright ? 0 : 4L * box.Width * box.Height);
    }

    internal override void DecodeBands(in DecodeRequest request, PixelBuffer buffer, TakeBand take) =>
        Decode(request, buffer, PixelBuffer.BandBytes, take);

    /// <summary>What the image is divided by for a request: 1 where the format knows of nothing else.</summary>
    protected virtual int ReductionFor(in DecodeRequest request) => 1;

    /// <summary>The stored size after a reduction.</summary>
    protected virtual (int Width, int Height) SizeAt(int reduction) => (StoredWidth, StoredHeight);

    /// <summary>Bytes that <see cref="DecodeStored"/> takes, with the file and one band.</summary>
    protected abstract long StoredMemory(PixelBox box, int reduction);

    /// <summary>Decodes at least a box of the reduced image as it is stored.</summary>
    /// <param name="box">Reduced pixels.</param>
    /// <param name="reduction">What the image is divided by.</param>
    /// <param name="buffer">Memory of the bands.</param>
    /// <param name="bandBytes">Bytes of a band where rows can be decoded apart; <see cref="long.MaxValue"/> for all in one.</param>
    /// <param name="take">Is handed each band of four-byte pixels, each row once.</param>
    protected abstract void DecodeStored(PixelBox box, int reduction, PixelBuffer buffer, long bandBytes, TakeBand take);

    /// <summary>How many rows are decoded at a time.</summary>
    protected static int RowsOf(long bandBytes, long stride, int most) => (int)Math.Clamp(bandBytes / stride, 1, most);

    private void Decode(in DecodeRequest request, PixelBuffer buffer, long bandBytes, TakeBand take)
    {
        var reduction = ReductionFor(request);
        if (Orientation.IsUpright)
        {
            DecodeStored(Reduce(request.Box, reduction), reduction, buffer, bandBytes, take);
            return;
        }

        var box = Reduce(Orientation.ToStored(request.Box, StoredWidth, StoredHeight), reduction);
        var (width, height) = SizeAt(reduction);
        var shown = Orientation.ToShown(box, width, height);
        var bytes = buffer.Reserve(4L * shown.Width * shown.Height);
        DecodeStored(box, reduction, new PixelBuffer(0), Math.Min(bandBytes, PixelBuffer.BandBytes), (in band) => Turn(band, box, Pixels(bytes)));
        take(new PixelRegion(bytes, 4, shown, 4 * shown.Width, reduction));
    }

    /// <summary>Writes what a band has of a box to where it is shown.</summary>
    private void Turn(in PixelRegion band, PixelBox box, Span<uint> shown)
    {
        var first = Math.Max(band.Box.Top, box.Top);
        var end = Math.Min(band.Box.Top + band.Box.Height, box.Top + box.Height);
        if (end <= first) return;
        var rows = Pixels(band.Bytes)[(((first - band.Box.Top) * (band.Stride / 4)) + box.Left - band.Box.Left)..];
        Orientation.Apply(rows, band.Stride / 4, first - box.Top, end - first, box.Width, box.Height, shown);
    }

    private static Span<uint> Pixels(byte[] bytes) => MemoryMarshal.Cast<byte, uint>(bytes.AsSpan());

    private static PixelBox Reduce(PixelBox box, int reduction)
    {
        if (reduction == 1) return box;
        int left = box.Left / reduction, top = box.Top / reduction;
        return new PixelBox(
            left,
            top,
            ((box.Left + box.Width + reduction - 1) / reduction) - left,
            ((box.Top + box.Height + reduction - 1) / reduction) - top);
    }
}

/// <summary>The part of an image that a crop needs.</summary>
/// <param name="Box">Pixels needed, in the full-size image.</param>
/// <param name="OutputWidth">W in pixels that the box will be resized to.</param>
/// <param name="OutputHeight">H in pixels that the box will be resized to.</param>
/// <param name="AllowScaling">
/// Whether the decoder may halve the image once or more often (JPEG does so almost for free) as long as the box keeps at least twice the
/// output's sides, so that the antialiased resize after it still averages at least 2x2 pixels. Off, the pixels are exact.
/// </param>
public readonly record struct DecodeRequest(PixelBox Box, int OutputWidth, int OutputHeight, bool AllowScaling)
{
    /// <summary>The most that a JPEG can be divided by.</summary>
    internal const int MostReduction = 8;

    private const int Oversampling = 2;

    /// <summary>Divide by at least this, even below the output's size, where the image would not fit into memory otherwise.</summary>
    internal int LeastReduction { get; init; }

    /// <summary>The largest of 1, 2, 4 and 8 by which the image may be divided.</summary>
    public int Reduction
    {
        get
        {
            if (!AllowScaling) return Math.Max(1, LeastReduction);
            var reduction = MostReduction;
            while (reduction > 1 && reduction > LeastReduction && (
                Box.Width < (long)Oversampling * reduction * OutputWidth || Box.Height < (long)Oversampling * reduction * OutputHeight))
                reduction /= 2;
            return reduction;
        }
    }
}

/// <summary>Memory that decoded pixels are written to, kept and used again from image to image. One for each thread.</summary>
public sealed class PixelBuffer
{
    // Two pixels are loaded at a time; the last load may reach this far behind the last pixel.
    internal const int Padding = 16;
    private const int MostKept = 64 << 20;

    // Beyond this, a larger band of rows makes nothing faster.
    private const int LargestBand = 4 << 20;

    private readonly int _kept;
    private byte[] _bytes = [];

    /// <summary>A buffer that keeps up to 64 MiB.</summary>
    public PixelBuffer()
        : this(MostKept)
    {
    }

    /// <summary>A buffer.</summary>
    /// <param name="kept">Bytes that it keeps at most; what is larger is let go by <see cref="Trim"/>.</param>
    internal PixelBuffer(long kept) => _kept = (int)Math.Min(kept, MostKept);

    /// <summary>Bytes of the rows that are decoded at a time where an image can be decoded by rows; at least one row.</summary>
    internal static int BandBytes => LargestBand;

    /// <summary>Room for <paramref name="count"/> bytes and a little padding, with arbitrary content.</summary>
    internal byte[] Reserve(long count)
    {
        var needed = checked((int)(count + Padding));
        if (_bytes.Length >= needed && (_bytes.Length <= _kept || needed > _kept)) return _bytes;
        _bytes = [];
        return _bytes = GC.AllocateUninitializedArray<byte>(needed > _kept ? needed : Math.Min(_kept, needed + (needed / 2)));
    }

    /// <summary>Lets go of more than may be kept.</summary>
    internal void Trim()
    {
        if (_bytes.Length > _kept) _bytes = [];
    }
}
