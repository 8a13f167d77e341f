using JepaSharp.Data;
using JepaSharp.Masking;

namespace JepaSharp.Pictures;

/// <summary>What the model is asked, as a picture: one row an image, with what the context encoder sees and each block it must predict.</summary>
public static class MaskSheet
{
    private const int SmallestCell = 128, Gutter = 10, WideCell = 200;

    private static readonly Rgb Paper = Rgb.Of(0xffffff), Ink = Rgb.Of(0x2b2f36), Faint = Rgb.Of(0x7b828c);

    /// <summary>Draws the masks of a batch over its images.</summary>
    /// <param name="images">The first of the batch's images, at least one and at most B, all of one size that the grid divides.</param>
    /// <param name="masks">The batch's masks.</param>
    /// <returns>A sheet: columns image, context (one a block), targets; small images are enlarged by a whole factor.</returns>
    /// <exception cref="ArgumentException">No image, more images than masks, unequal sizes, or a size that the grid does not divide.</exception>
    public static RgbImage Draw(IReadOnlyList<RgbImage> images, MaskBatch masks)
    {
        Check(images, masks);
        var (width, height) = (images[0].Width, images[0].Height);
        var zoom = Math.Max(1, (SmallestCell + Math.Max(width, height) - 1) / Math.Max(width, height));
        var (cellWidth, cellHeight) = (width * zoom, height * zoom);
        var columns = Columns(masks);
        var noteSize = cellWidth < WideCell ? 1 : 2;
        var titleSize = noteSize + 1;
        var header = (2 * Gutter) + ((DotFont.Height + 2) * (titleSize + noteSize));
        var sheet = Canvas.New(
            Gutter + (columns.Count * (cellWidth + Gutter)), header + (images.Count * (cellHeight + Gutter)), Paper);

        for (var column = 0; column < columns.Count; column++)
        {
            var left = Gutter + (column * (cellWidth + Gutter));
            var (title, note, colour, block) = columns[column];
            sheet.Write(title, left, Gutter, titleSize, colour);
            sheet.Write(note, left, Gutter + ((DotFont.Height + 2) * titleSize), noteSize, Faint);
            for (var image = 0; image < images.Count; image++)
            {
                var cell = new PixelBox(left, header + (image * (cellHeight + Gutter)), cellWidth, cellHeight);
                var shown = block is { } indices ? MaskDrawing.MapOf(indices.Span, image, masks) : null;
                sheet.DrawImage(cell, images[image], zoom, masks.Grid, shown);
                if (shown is not null) sheet.Outline(cell, masks.Grid, shown, colour);
            }
        }

        return sheet;
    }

    private static List<(string Title, string Note, Rgb Colour, ReadOnlyMemory<long>? Block)> Columns(MaskBatch masks)
    {
        var columns = new List<(string, string, Rgb, ReadOnlyMemory<long>?)> { ("image", $"{masks.Grid} patches", Ink, null) };
        for (var c = 0; c < masks.ContextBlocks; c++)
            columns.Add((Numbered("context", c, masks.ContextBlocks), $"seen: {masks.ContextLength} of {masks.Grid.Count}", Ink, masks.Context(c)));
        for (var t = 0; t < masks.TargetBlocks; t++)
            columns.Add(
                (Numbered("target", t, masks.TargetBlocks), $"to predict: {masks.TargetLength}", MaskDrawing.TargetColour(t), masks.Target(t)));
        return columns;
    }

    private static string Numbered(string name, int index, int count) => count == 1 ? name : $"{name} {index + 1}";

    private static void Check(IReadOnlyList<RgbImage> images, MaskBatch masks)
    {
        if (images.Count == 0 || images.Count > masks.Batch)
            throw new ArgumentException($"Found {images.Count} images; expected 1 to {masks.Batch}, the batch of masks.", nameof(images));
        foreach (var image in images)
        {
            if (image.Width != images[0].Width || image.Height != images[0].Height || image.Width % masks.Grid.Width != 0
                || image.Height % masks.Grid.Height != 0)
                throw new ArgumentException(
                    $"Found an image of {image.Height}x{image.Width} pixels; expected all of one size that a grid of {masks.Grid} patches divides.",
                    nameof(images));
        }
    }
}
