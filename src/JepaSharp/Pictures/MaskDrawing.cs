using JepaSharp.Data;
using JepaSharp.Masking;

namespace JepaSharp.Pictures;

/// <summary>How masks are drawn over an image: patches that are not shown are faded, those that are get an outline.</summary>
internal static class MaskDrawing
{
    // Distinct to most kinds of colour vision (after Okabe and Ito, 2008).
    private static readonly Rgb[] TargetColours =
        [Rgb.Of(0xe8590c), Rgb.Of(0x1c86d1), Rgb.Of(0x0a9d6f), Rgb.Of(0xc2478f), Rgb.Of(0xe0a800), Rgb.Of(0x7b5bd6)];

    /// <summary>Colour of target block <paramref name="block"/>.</summary>
    public static Rgb TargetColour(int block) => TargetColours[block % TargetColours.Length];

    /// <summary>Which patches of the grid a block of one image holds: [N].</summary>
    /// <param name="block">[B, K] row-major.</param>
    /// <param name="image">Which image.</param>
    /// <param name="masks">The batch of masks.</param>
    public static bool[] MapOf(ReadOnlySpan<long> block, int image, MaskBatch masks)
    {
        var map = new bool[masks.Grid.Count];
        var length = block.Length / masks.Batch;
        foreach (var index in block.Slice(image * length, length)) map[index] = true;
        return map;
    }

    /// <summary>Copies an image, enlarged; patches that <paramref name="shown"/> leaves out are faded to a pale grey.</summary>
    public static void DrawImage(this RgbImage sheet, PixelBox cell, RgbImage image, int zoom, PatchGrid grid, bool[]? shown)
    {
        for (var y = 0; y < cell.Height; y++)
        {
            for (var x = 0; x < cell.Width; x++)
            {
                var colour = image.Get(x / zoom, y / zoom);
                var patch = grid.IndexOf(y * grid.Height / cell.Height, x * grid.Width / cell.Width);
                sheet.Set(cell.Left + x, cell.Top + y, shown is null || shown[patch] ? colour : Faded(colour));
            }
        }
    }

    /// <summary>Draws a line along every edge between a shown patch and one that is not.</summary>
    public static void Outline(this RgbImage sheet, PixelBox cell, PatchGrid grid, bool[] shown, Rgb colour)
    {
        int patchWidth = cell.Width / grid.Width, patchHeight = cell.Height / grid.Height, line = Math.Max(2, cell.Height / 80);
        bool Shown(int row, int column) => row >= 0 && column >= 0 && row < grid.Height && column < grid.Width && shown[grid.IndexOf(row, column)];
        for (var row = 0; row < grid.Height; row++)
        {
            for (var column = 0; column < grid.Width; column++)
            {
                if (!Shown(row, column)) continue;
                int left = cell.Left + (column * patchWidth), top = cell.Top + (row * patchHeight);
                if (!Shown(row - 1, column)) sheet.Fill(new PixelBox(left, top, patchWidth, line), colour);
                if (!Shown(row + 1, column)) sheet.Fill(new PixelBox(left, top + patchHeight - line, patchWidth, line), colour);
                if (!Shown(row, column - 1)) sheet.Fill(new PixelBox(left, top, line, patchHeight), colour);
                if (!Shown(row, column + 1)) sheet.Fill(new PixelBox(left + patchWidth - line, top, line, patchHeight), colour);
            }
        }
    }

    private static Rgb Faded(Rgb colour)
    {
        var grey = ((299 * colour.Red) + (587 * colour.Green) + (114 * colour.Blue)) / 1000;
        var pale = (byte)(178 + (grey / 5));
        return new Rgb(pale, pale, pale);
    }
}

/// <summary>A colour, 8 bits a channel.</summary>
public readonly record struct Rgb(byte Red, byte Green, byte Blue)
{
    /// <summary>The colour of 0xRRGGBB.</summary>
    public static Rgb Of(int hex) => new((byte)(hex >> 16), (byte)(hex >> 8), (byte)hex);
}
