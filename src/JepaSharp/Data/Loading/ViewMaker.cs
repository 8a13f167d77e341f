using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>Makes the views of an image.</summary>
/// <remarks>Every crop has a stream of its own, keyed by (seed, epoch, image, number of the crop), so that none depends on the others.</remarks>
public static class ViewMaker
{
    /// <summary>All views of an image, which is decoded once for all of them.</summary>
    /// <param name="opened">The image; it is decoded by this call.</param>
    /// <param name="views">What is made of it.</param>
    /// <param name="key">The run's seed, the epoch and the image's index in its source.</param>
    /// <param name="sampler">The thread's memory.</param>
    /// <param name="pixels">uint8: its views one after the other, each [V, S, S, 3].</param>
    /// <exception cref="ImageUnreadableException">The image's data is damaged.</exception>
    public static void Make(
        OpenedImage opened, IReadOnlyList<View> views, (ulong Seed, int Epoch, int Index) key, CropSampler sampler, Span<byte> pixels)
    {
        ArgumentNullException.ThrowIfNull(views);
        ArgumentNullException.ThrowIfNull(sampler);
        var (crop, at) = (0, 0);
        using var decoded = views.Sum(v => v.Count) > 1 ? new PixelImage(sampler.Whole(opened)) : null;
        var image = decoded ?? opened;
        foreach (var view in views)
        {
            var bytes = view.Bytes / view.Count;
            for (var c = 0; c < view.Count; c++, crop++, at += bytes)
            {
                var random = new RandomStream(key.Seed, RandomPurpose.Augmentation, key.Epoch, key.Index, crop);
                view.Transform.Apply(image, ref random, sampler, pixels.Slice(at, bytes));
            }
        }
    }

    /// <summary>All views of images that are decoded already, as a batch.</summary>
    /// <param name="views">What is made of each.</param>
    /// <param name="images">[B].</param>
    /// <param name="indices">[B], index of each in its source.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">From 0; an epoch below is nobody's.</param>
    public static ViewBytes Of(IReadOnlyList<View> views, IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, ulong seed, int epoch)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(indices);
        var made = new ViewBytes(views, new byte[images.Count * views.Sum(v => v.Bytes)], [.. indices]);
        var sampler = new CropSampler();
        for (var i = 0; i < images.Count; i++)
        {
            using var image = new PixelImage(images[i]);
            Make(image, views, (seed, epoch, indices[i]), sampler, made.Pixels.AsSpan(i * made.BytesPerImage, made.BytesPerImage));
        }

        return made;
    }
}
