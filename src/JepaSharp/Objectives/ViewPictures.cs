using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Pictures;

namespace JepaSharp.Objectives;

/// <summary>The views of a few images as pictures, as training would make them.</summary>
internal static class ViewPictures
{
    /// <summary>For each image, its views with what they are called.</summary>
    /// <param name="views">What is made of an image.</param>
    /// <param name="images">The images.</param>
    /// <param name="indices">Index of each in its source.</param>
    /// <param name="step">What is drawn is keyed by its seed.</param>
    /// <param name="zoom">How many times larger the pictures are.</param>
    /// <param name="seen">Of a view, an image and the number of its crop, which patches an encoder sees; null for all.</param>
    /// <param name="patch">P, where some are not seen.</param>
    public static IReadOnlyList<IReadOnlyList<(RgbImage Picture, string Caption)>> Of(
        IReadOnlyList<View> views, IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom,
        Func<View, int, int, bool[]?>? seen = null, int patch = 1)
    {
        RgbImage Picture(View view, int image, int crop, RgbImage pixels) => seen?.Invoke(view, image, crop) is { } shown
            ? MaskPictures.Shown(pixels, new PatchGrid(pixels.Height / patch, pixels.Width / patch), shown, zoom)
            : Enlarged(pixels, zoom);

        return [.. images.Select((image, i) => (IReadOnlyList<(RgbImage, string)>)
            [(Enlarged(image, zoom), "the image"),
                .. Row(views, image, indices[i], step.Seed, (view, crop, pixels) => Picture(view, i, crop, pixels))])];
    }

    /// <summary>A batch's images, one by one.</summary>
    public static IReadOnlyList<RgbImage> Images(ImageBatch batch)
    {
        var bytes = 3 * batch.Height * batch.Width;
        return [.. Enumerable.Range(0, batch.Count).Select(
            i => new RgbImage(batch.Width, batch.Height, batch.Pixels.AsSpan(i * bytes, bytes).ToArray()))];
    }

    private static IEnumerable<(RgbImage, string)> Row(
        IReadOnlyList<View> views, RgbImage image, int index, ulong seed, Func<View, int, RgbImage, RgbImage> picture)
    {
        var made = ViewMaker.Of(views, [image], [index], seed, epoch: 0);
        var at = 0;
        foreach (var view in views)
        {
            var side = view.Transform.CropSize;
            for (var c = 0; c < view.Count; c++, at += 3 * side * side)
            {
                var crop = new RgbImage(side, side, made.Pixels.AsSpan(at, 3 * side * side).ToArray());
                yield return (picture(view, c, crop), view.Count == 1 ? $"{view.Name} view" : $"{view.Name} view {c + 1}");
            }
        }
    }

    private static RgbImage Enlarged(RgbImage image, int zoom)
    {
        var picture = new RgbImage(image.Width * zoom, image.Height * zoom);
        for (var y = 0; y < picture.Height; y++)
            for (var x = 0; x < picture.Width; x++) picture.Set(x, y, image.Get(x / zoom, y / zoom));
        return picture;
    }
}
