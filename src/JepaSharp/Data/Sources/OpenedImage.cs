using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

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

    /// <summary>Decodes the whole image at full size.</summary>
    /// <exception cref="ImageUnreadableException">The data is damaged.</exception>
    public abstract RgbImage Decode();

    /// <summary>Decodes at least the part of the image that a crop needs, perhaps at a reduced scale. By default the whole image at full size.</summary>
    /// <param name="request">What is needed, and whether a reduced scale will do.</param>
    /// <param name="buffer">Memory to decode into; the region is valid until it is used again.</param>
    /// <exception cref="ImageUnreadableException">The data is damaged.</exception>
    public virtual PixelRegion DecodeRegion(in DecodeRequest request, PixelBuffer buffer) => PixelRegion.Of(Decode());

    /// <summary>Bytes that <see cref="DecodeRegion"/> takes for a request, with the encoded image and all that the decoder needs; rather too many than too few.</summary>
    /// <param name="request">What is needed of the image.</param>
    public virtual long MemoryToDecode(in DecodeRequest request) => 3L * Width * Height;

    /// <summary>CRC-32C of the image as it is stored; of its pixels where nothing is encoded.</summary>
    /// <exception cref="ImageUnreadableException">The data is damaged.</exception>
    public virtual uint ContentChecksum() => Crc32C.Of(Decode().Pixels);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the image holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
