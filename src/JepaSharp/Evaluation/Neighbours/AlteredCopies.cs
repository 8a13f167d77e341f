using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Neighbours;

/// <summary>Some images of a source as somebody would save them again: a fiftieth cut off at each side, three quarters of the size, JPEG of quality
/// 60.</summary>
/// <param name="source">The images; not owned.</param>
/// <param name="chosen">Which of them.</param>
internal sealed class AlteredCopies(ImageSource source, IReadOnlyList<int> chosen) : ImageSource
{
    private const int Cut = 50, Quality = 60;
    private const double Scale = 0.75;

    /// <summary>What is done to an image, in words.</summary>
    public const string Words = "cut by 2 % at each side, three quarters the size, JPEG of quality 60";

    /// <inheritdoc/>
    public override int Count => chosen.Count;

    /// <inheritdoc/>
    public override string Description => $"copies of {Quantity.Of(chosen.Count, "image")} of {source.Description}";

    /// <inheritdoc/>
    public override string NameOf(int index) => source.NameOf(chosen[index]);

    /// <inheritdoc/>
    public override OpenedImage Open(int index)
    {
        using var original = source.OpenWithinBound(chosen[index]);
        var (left, top) = (original.Width / Cut, original.Height / Cut);
        var box = new PixelBox(left, top, original.Width - (2 * left), original.Height - (2 * top));
        int width = Math.Max(1, (int)(box.Width * Scale)), height = Math.Max(1, (int)(box.Height * Scale));
        var copy = new RgbImage(width, height);
        new CropSampler().Sample(original, CropGeometry.Of(box, width, height, ResampleFilter.Bilinear), allowScaling: true, copy.Pixels);
        return ImageDecoder.Open(copy.ToJpeg(Quality), NameOf(index));
    }
}
