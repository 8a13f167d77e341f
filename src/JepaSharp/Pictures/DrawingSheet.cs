using JepaSharp.Data;
using JepaSharp.Masking;

namespace JepaSharp.Pictures;

/// <summary>Pictures drawn from what a network says of a block, where the block lies: figure 6 of the I-JEPA paper.</summary>
public static class DrawingSheet
{
    private const int SmallestCell = 128, Gutter = 8, TitleSize = 2, NoteSize = 1;

    private static readonly Rgb Paper = Rgb.Of(0xffffff), Ink = Rgb.Of(0x2b2f36), Faint = Rgb.Of(0x7b828c), Green = Rgb.Of(0x0a9d3f);

    /// <summary>How many times an image is enlarged in a cell.</summary>
    /// <param name="side">The image's side in pixels.</param>
    public static int ZoomOf(int side) => Math.Max(1, (SmallestCell + side - 1) / side);

    /// <summary>An image, with everything faded but some patches.</summary>
    /// <param name="image">An image that the grid divides.</param>
    /// <param name="grid">The grid.</param>
    /// <param name="shown">[N] the patches that are not faded; null for all.</param>
    public static RgbImage Faded(RgbImage image, PatchGrid grid, bool[]? shown)
    {
        ArgumentNullException.ThrowIfNull(image);
        return MaskPictures.Shown(image, grid, shown, ZoomOf(image.Width));
    }

    /// <summary>The image with everything faded but a block, in a green frame.</summary>
    /// <param name="image">An image that the grid divides.</param>
    /// <param name="grid">The grid.</param>
    /// <param name="block">The block.</param>
    public static RgbImage Block(RgbImage image, PatchGrid grid, PatchBlock block)
    {
        var map = MapOf(grid, block);
        var picture = Faded(image, grid, map);
        picture.Outline(PixelBox.Whole(picture.Width, picture.Height), grid, map, Green);
        return picture;
    }

    /// <summary>What is seen of an image, with a drawn picture where its block lies, in a green frame.</summary>
    /// <param name="image">An image that the grid divides.</param>
    /// <param name="grid">The grid.</param>
    /// <param name="seen">[N], the context.</param>
    /// <param name="block">The block.</param>
    /// <param name="drawn">The picture, of any size.</param>
    public static RgbImage Pasted(RgbImage image, PatchGrid grid, bool[] seen, PatchBlock block, RgbImage drawn)
    {
        ArgumentNullException.ThrowIfNull(drawn);
        var picture = Faded(image, grid, seen);
        int patch = picture.Width / grid.Width, left = block.Left * patch, top = block.Top * patch;
        int width = block.Width * patch, height = block.Height * patch;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) picture.Set(left + x, top + y, drawn.Get(x * drawn.Width / width, y * drawn.Height / height));
        picture.Outline(PixelBox.Whole(picture.Width, picture.Height), grid, MapOf(grid, block), Green);
        return picture;
    }

    /// <summary>A sheet of pictures under titles.</summary>
    /// <param name="columns">Title and, below it, a note, of each column.</param>
    /// <param name="rows">Pictures of one size, one a column.</param>
    /// <exception cref="ArgumentException">No row, or rows of other lengths than the columns, or pictures of several sizes.</exception>
    public static RgbImage Draw(IReadOnlyList<(string Title, string Note)> columns, IReadOnlyList<IReadOnlyList<RgbImage>> rows)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0 || rows.Any(r => r.Count != columns.Count))
            throw new ArgumentException("Every row has a picture a column.", nameof(rows));
        var (width, height) = (rows[0][0].Width, rows[0][0].Height);
        if (rows.SelectMany(r => r).Any(p => p.Width != width || p.Height != height))
            throw new ArgumentException("Pictures of a sheet are of one size.", nameof(rows));
        var header = (2 * Gutter) + ((DotFont.Height + 2) * (TitleSize + NoteSize));
        var sheet = Canvas.New(Gutter + (columns.Count * (width + Gutter)), header + (rows.Count * (height + Gutter)), Paper);
        for (var column = 0; column < columns.Count; column++)
        {
            var left = Gutter + (column * (width + Gutter));
            sheet.Write(columns[column].Title, left, Gutter, TitleSize, Ink);
            sheet.Write(columns[column].Note, left, Gutter + ((DotFont.Height + 2) * TitleSize), NoteSize, Faint);
            for (var row = 0; row < rows.Count; row++)
            {
                var picture = rows[row][column];
                for (var y = 0; y < height; y++)
                    picture.Row(y).CopyTo(sheet.Row(header + (row * (height + Gutter)) + y)[(3 * left)..]);
            }
        }

        return sheet;
    }

    /// <summary>Shares as a picture: 0 dark, 1 and more light.</summary>
    /// <param name="shares">[side side], row by row.</param>
    public static RgbImage Map(double[] shares)
    {
        ArgumentNullException.ThrowIfNull(shares);
        var side = (int)Math.Round(Math.Sqrt(shares.Length));
        var zoom = ZoomOf(side);
        var picture = new RgbImage(side * zoom, side * zoom);
        for (var y = 0; y < picture.Height; y++)
        {
            for (var x = 0; x < picture.Width; x++)
            {
                var share = shares[(y / zoom * side) + (x / zoom)];
                var level = (byte)Math.Round(255 * Math.Clamp(double.IsNaN(share) ? 0 : share, 0, 1));
                picture.Set(x, y, new Rgb(level, level, level));
            }
        }

        return picture;
    }

    private static bool[] MapOf(PatchGrid grid, PatchBlock block)
    {
        var map = new bool[grid.Count];
        foreach (var patch in block.Indices(grid)) map[patch] = true;
        return map;
    }
}
