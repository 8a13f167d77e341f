using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;

namespace JepaSharp.Data.Cropping;

/// <summary>Cuts a box out of an image and resizes it, decoding no more than that takes. Keeps its memory; one for each thread.</summary>
public sealed class CropSampler
{
    private const long MostKept = 64 << 20;

    private readonly Resampler _resampler = new();
    private readonly PixelBuffer _buffer;
    private readonly long _kept;

    /// <summary>A sampler that keeps up to 64 MiB.</summary>
    public CropSampler()
        : this(MostKept)
    {
    }

    /// <summary>A sampler that keeps so many bytes from image to image, and little more.</summary>
    internal CropSampler(long kept) => (_kept, _buffer) = (kept, new PixelBuffer(kept));

    /// <summary>Memory to decode into, for what is not cropped.</summary>
    internal PixelBuffer Buffer => _buffer;

    /// <summary>Crops an image that is not decoded yet.</summary>
    /// <param name="image">The image; it is decoded by this call.</param>
    /// <param name="geometry">What to cut out and how to resize it.</param>
    /// <param name="allowScaling">Whether the decoder may reduce the image, see <see cref="DecodeRequest"/>; off, the pixels are those of a full
    /// decode.</param>
    /// <param name="output">uint8 [h, w, 3] of the geometry's window.</param>
    /// <exception cref="ImageUnreadableException">The image's data is damaged, or decoding it needs more memory than there may be.</exception>
    public void Sample(OpenedImage image, in CropGeometry geometry, bool allowScaling, Span<byte> output)
    {
        ArgumentNullException.ThrowIfNull(image);
        Sample(image, geometry, allowScaling, output, 0);
    }

    /// <summary>Crops an image that is not decoded yet, where so many more bytes are needed beside it.</summary>
    internal void Sample(OpenedImage image, in CropGeometry geometry, bool allowScaling, Span<byte> output, long extra)
    {
        var needed = _resampler.Prepare(geometry);
        var request = new DecodeRequest(needed, geometry.Window.Width, geometry.Window.Height, allowScaling);
        var (asked, hasBegun) = (geometry, false);
        image.DecodeBounded(request, _resampler.MemoryToResize + extra, _buffer, (in band) =>
        {
            if (!hasBegun)
            {
                // Only the decoder knows at what scale it decodes.
                if (band.Reduction > 1) _resampler.Prepare(asked, band.Reduction);
                _resampler.Begin();
                hasBegun = true;
            }

            _resampler.AddRows(band);
        });
        _resampler.End(output);
        _buffer.Trim();
        _resampler.Trim(_kept);
    }

    /// <summary>Decodes an image once and whole, for several crops of it.</summary>
    /// <param name="image">The image; it is decoded by this call.</param>
    /// <exception cref="ImageUnreadableException">The image's data is damaged, or decoding it needs more memory than there may be.</exception>
    public RgbImage Whole(OpenedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.DecodeWhole(_buffer);
    }

    /// <summary>Crops an image that is already decoded.</summary>
    /// <param name="image">The image.</param>
    /// <param name="geometry">What to cut out and how to resize it.</param>
    /// <param name="output">uint8 [h, w, 3] of the geometry's window.</param>
    public void Sample(RgbImage image, in CropGeometry geometry, Span<byte> output)
    {
        _resampler.Prepare(geometry);
        _resampler.Resize(PixelRegion.Of(image), output);
    }
}
