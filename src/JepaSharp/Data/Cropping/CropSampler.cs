using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;

namespace JepaSharp.Data.Cropping;

/// <summary>Cuts a box out of an image and resizes it, decoding no more than that takes. Keeps its memory; one for each thread.</summary>
public sealed class CropSampler
{
    private readonly Resampler _resampler = new();
    private readonly PixelBuffer _buffer;
    private readonly DecodingMemory _memory;

    /// <summary>A sampler with no bound on its memory.</summary>
    public CropSampler()
        : this(DecodingMemory.Unbounded)
    {
    }

    /// <summary>A sampler of one of several threads that share a bound.</summary>
    internal CropSampler(DecodingMemory memory) => (_memory, _buffer) = (memory, new PixelBuffer(memory.ShareBytes / 2));

    /// <summary>Crops an image that is not decoded yet.</summary>
    /// <param name="image">The image; it is decoded by this call.</param>
    /// <param name="geometry">What to cut out and how to resize it.</param>
    /// <param name="allowScaling">Whether the decoder may reduce the image, see <see cref="DecodeRequest"/>; off, the pixels are those of a full decode.</param>
    /// <param name="output">uint8 [h, w, 3] of the geometry's window.</param>
    /// <exception cref="ImageUnreadableException">The image's data is damaged, or decoding it needs more memory than there may be.</exception>
    public void Sample(OpenedImage image, in CropGeometry geometry, bool allowScaling, Span<byte> output)
    {
        ArgumentNullException.ThrowIfNull(image);
        var needed = _resampler.Prepare(geometry);
        var request = _memory.Fit(image, new DecodeRequest(needed, geometry.Window.Width, geometry.Window.Height, allowScaling), out var bytes);
        using var room = _memory.Room(bytes);
        var region = image.DecodeRegion(request, _buffer);
        if (region.Reduction > 1) _resampler.Prepare(geometry, region.Reduction);
        _resampler.Resize(region, output);
        _buffer.Trim();
    }

    /// <summary>Decodes an image once and whole, for several crops of it.</summary>
    /// <param name="image">The image; it is decoded by this call.</param>
    /// <exception cref="ImageUnreadableException">The image's data is damaged, or decoding it needs more memory than there may be.</exception>
    public RgbImage Whole(OpenedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var whole = new DecodeRequest(PixelBox.Whole(image.Width, image.Height), image.Width, image.Height, AllowScaling: false);
        using var room = _memory.Room(image.MemoryToDecode(_memory.Fit(image, whole, out _)));
        return image.Decode();
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
