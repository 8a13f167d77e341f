using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>Is handed a band of whole rows of an image; the band is valid until it returns.</summary>
internal delegate void TakeBand(in PixelRegion band);

/// <summary>An image whose size is known and whose pixels are not yet decoded. Used by one thread, and decoded at most once.</summary>
public abstract class OpenedImage : IDisposable
{
    /// <summary>W in pixels, after any EXIF orientation was applied.</summary>
    public abstract int Width { get; }

    /// <summary>H in pixels, after any EXIF orientation was applied.</summary>
    public abstract int Height { get; }

    /// <summary>What to call the image in messages.</summary>
    public virtual string Name => "an image";

    /// <summary>What the image is stored as: "jpeg", "png", "tiff"; "pixels" where nothing has to be decoded.</summary>
    public virtual string Format => "pixels";

    /// <summary>Whether the file holds further frames or pages, which are not read.</summary>
    public virtual bool HasFurtherFrames => false;

    /// <summary>The bound that the image is decoded within; null for none.</summary>
    internal DecodingRoom? Room { get; set; }

    /// <summary>Decodes the whole image at full size.</summary>
    /// <exception cref="ImageUnreadableException">The data is damaged.</exception>
    public abstract RgbImage Decode();

    /// <summary>Decodes at least the part of the image that a crop needs, perhaps at a reduced scale. By default the whole image at full
    /// size.</summary>
    /// <param name="request">What is needed, and whether a reduced scale will do.</param>
    /// <param name="buffer">Memory to decode into; the region is valid until it is used again.</param>
    /// <exception cref="ImageUnreadableException">The data is damaged.</exception>
    public virtual PixelRegion DecodeRegion(in DecodeRequest request, PixelBuffer buffer) => PixelRegion.Of(Decode());

    /// <summary>Bytes that decoding takes for a request, with the encoded image and all that the decoder needs; rather too many than too
    /// few.</summary>
    /// <param name="request">What is needed of the image.</param>
    public virtual long MemoryToDecode(in DecodeRequest request) => 3L * Width * Height;

    /// <summary>CRC-32C of the image as it is stored; of its pixels where nothing is encoded.</summary>
    /// <exception cref="ImageUnreadableException">The data is damaged.</exception>
    public virtual uint ContentChecksum() => Crc32C.Of(Decode().Pixels);

    /// <summary>Decodes every pixel within the bound and keeps none: finds damage.</summary>
    /// <param name="buffer">The thread's memory.</param>
    /// <exception cref="ImageUnreadableException">The data is damaged, or decoding it needs more memory than there may be.</exception>
    public void Verify(PixelBuffer buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        DecodeBounded(new DecodeRequest(PixelBox.Whole(Width, Height), Width, Height, AllowScaling: false), 0, buffer, static (in _) => { });
        buffer.Trim();
    }

    /// <summary>Decodes the whole image at full size within the bound.</summary>
    /// <param name="buffer">The thread's memory.</param>
    /// <param name="extra">Bytes that will be needed beside the pixels.</param>
    /// <exception cref="ImageUnreadableException">The data is damaged, or decoding it needs more memory than there may be.</exception>
    internal RgbImage DecodeWhole(PixelBuffer buffer, long extra = 0)
    {
        var request = new DecodeRequest(PixelBox.Whole(Width, Height), Width, Height, AllowScaling: false);
        Require(request, (3L * Width * Height) + extra);
        var image = new RgbImage(Width, Height);
        DecodeBands(request, buffer, (in band) => band.CopyTo(image));
        buffer.Trim();
        return image;
    }

    /// <summary>Waits for the room that a request takes at full size.</summary>
    /// <param name="request">What is needed of the image.</param>
    /// <param name="extra">Bytes that are needed beside the decoder's.</param>
    /// <exception cref="ImageUnreadableException">It is more than one image may take.</exception>
    private void Require(in DecodeRequest request, long extra)
    {
        if (Room is not { } room) return;
        var bytes = MemoryToDecode(request) + extra;
        room.Memory.Require(this, bytes);
        room.Grow(bytes);
    }

    /// <summary>Decodes what a request needs, once there is room for it, at a reduced scale where only that fits.</summary>
    /// <param name="request">What is needed of the image.</param>
    /// <param name="extra">Bytes that are needed beside the decoder's.</param>
    /// <param name="buffer">The thread's memory.</param>
    /// <param name="take">Is handed each band.</param>
    internal void DecodeBounded(DecodeRequest request, long extra, PixelBuffer buffer, TakeBand take)
    {
        if (Room is { } room)
        {
            request = room.Memory.Fit(this, request, extra, out var bytes);
            room.Grow(bytes);
        }

        DecodeBands(request, buffer, take);
    }

    /// <summary>Decodes as <see cref="DecodeRegion"/> does, but, where the format allows it, a few rows at a time, each row once. By default in one
    /// band.</summary>
    internal virtual void DecodeBands(in DecodeRequest request, PixelBuffer buffer, TakeBand take) => take(DecodeRegion(request, buffer));

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        Room?.Dispose();
        Room = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the image holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>One image cannot be read. Carries the image's name and a reason in words.</summary>
/// <param name="name">The image's name in its source.</param>
/// <param name="reason">What is wrong with it.</param>
/// <param name="inner">The cause, where there is one.</param>
public sealed class ImageUnreadableException(string name, string reason, Exception? inner = null)
    : Exception(PrintableName.Of($"{name}: {reason}"), inner)
{
    /// <summary>The image's name in its source.</summary>
    public string Name { get; } = name;

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; } = reason;
}

/// <summary>An image whose pixels are already at hand.</summary>
/// <param name="pixels">The image; handed out as it is.</param>
internal sealed class PixelImage(RgbImage pixels) : OpenedImage
{
    public override int Width => pixels.Width;

    public override int Height => pixels.Height;

    public override RgbImage Decode() => pixels;

    public override long MemoryToDecode(in DecodeRequest request) => 0;

    public override PixelRegion DecodeRegion(in DecodeRequest request, PixelBuffer buffer) => PixelRegion.Of(pixels);
}
