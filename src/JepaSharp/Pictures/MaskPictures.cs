using JepaSharp.Data;
using JepaSharp.Masking;

namespace JepaSharp.Pictures;

/// <summary>One image with its masks, as two pictures: what the context encoder sees, and all blocks that are to be predicted.</summary>
public static class MaskPictures
{
    private static readonly Rgb Ink = Rgb.Of(0x2b2f36);

    /// <summary>The image with everything faded but the context.</summary>
    /// <param name="image">An image that the grid divides.</param>
    /// <param name="masks">A batch's masks.</param>
    /// <param name="index">Which image of the batch it is.</param>
    /// <param name="zoom">How many times larger the picture is.</param>
    public static RgbImage Context(RgbImage image, MaskBatch masks, int index, int zoom) =>
        Draw(image, masks, zoom, [(Union(masks.ContextBlocks, b => masks.Context(b), index, masks), Ink)]);

    /// <summary>The image with everything faded but the target blocks, each in a frame of its own colour.</summary>
    /// <inheritdoc cref="Context"/>
    public static RgbImage Targets(RgbImage image, MaskBatch masks, int index, int zoom) => Draw(
        image, masks, zoom,
        [.. Enumerable.Range(0, masks.TargetBlocks).Select(
            t => (MaskDrawing.MapOf(masks.Target(t).Span, index, masks), MaskDrawing.TargetColour(t)))]);

    /// <summary>An image, enlarged.</summary>
    /// <param name="image">An image that the grid divides.</param>
    /// <param name="grid">The grid.</param>
    /// <param name="shown">[N] the patches that are not faded; null for all.</param>
    /// <param name="zoom">How many times larger the picture is.</param>
    internal static RgbImage Shown(RgbImage image, PatchGrid grid, bool[]? shown, int zoom)
    {
        var picture = new RgbImage(image.Width * zoom, image.Height * zoom);
        picture.DrawImage(PixelBox.Whole(picture.Width, picture.Height), image, zoom, grid, shown);
        return picture;
    }

    private static RgbImage Draw(RgbImage image, MaskBatch masks, int zoom, IReadOnlyList<(bool[] Shown, Rgb Colour)> blocks)
    {
        var picture = new RgbImage(image.Width * zoom, image.Height * zoom);
        var cell = PixelBox.Whole(picture.Width, picture.Height);
        var all = new bool[masks.Grid.Count];
        foreach (var (shown, _) in blocks)
            for (var i = 0; i < all.Length; i++) all[i] |= shown[i];
        picture.DrawImage(cell, image, zoom, masks.Grid, all);
        foreach (var (shown, colour) in blocks) picture.Outline(cell, masks.Grid, shown, colour);
        return picture;
    }

    private static bool[] Union(int count, Func<int, ReadOnlyMemory<long>> block, int index, MaskBatch masks)
    {
        var union = new bool[masks.Grid.Count];
        for (var b = 0; b < count; b++)
        {
            var map = MaskDrawing.MapOf(block(b).Span, index, masks);
            for (var i = 0; i < union.Length; i++) union[i] |= map[i];
        }

        return union;
    }
}
