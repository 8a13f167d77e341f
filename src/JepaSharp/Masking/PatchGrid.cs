using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>The grid of patches that an image is cut into; patches are numbered row by row from the top left.</summary>
/// <remarks>H/P rows of W/P columns, N = (H/P)(W/P) patches.</remarks>
public readonly record struct PatchGrid
{
    /// <summary>A grid of <paramref name="height"/> by <paramref name="width"/> patches.</summary>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side is not positive.</exception>
    public PatchGrid(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        (Height, Width) = (height, width);
    }

    /// <summary>Rows of patches.</summary>
    public int Height { get; }

    /// <summary>Columns of patches.</summary>
    public int Width { get; }

    /// <summary>N, the number of patches.</summary>
    public int Count => Height * Width;

    /// <summary>The grid of an image of <paramref name="imageHeight"/> by <paramref name="imageWidth"/> pixels.</summary>
    /// <param name="imageHeight">H in pixels.</param>
    /// <param name="imageWidth">W in pixels.</param>
    /// <param name="patchSide">P in pixels.</param>
    /// <exception cref="JepaException">A side is not a positive multiple of P.</exception>
    public static PatchGrid OfImage(int imageHeight, int imageWidth, int patchSide)
    {
        if (patchSide < 1 || imageHeight < patchSide || imageWidth < patchSide || imageHeight % patchSide != 0 || imageWidth % patchSide != 0)
            throw new JepaException(
                $"An image of {imageHeight}x{imageWidth} pixels cannot be cut into patches of {patchSide}x{patchSide}. "
                + "Choose sides that are multiples of the patch side.",
                isUsage: true);
        return new PatchGrid(imageHeight / patchSide, imageWidth / patchSide);
    }

    /// <summary>Number of the patch at a row and column, row by row.</summary>
    public int IndexOf(int row, int column) => (row * Width) + column;

    /// <summary>Row of a patch.</summary>
    public int RowOf(long index) => (int)(index / Width);

    /// <summary>Column of a patch.</summary>
    public int ColumnOf(long index) => (int)(index % Width);

    /// <summary>For instance <c>14x14</c>: rows, then columns.</summary>
    public override string ToString() => $"{Height}x{Width}";
}
