namespace JepaSharp.Masking;

/// <summary>A rectangle of patches.</summary>
/// <param name="Top">First row.</param>
/// <param name="Left">First column.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct PatchBlock(int Top, int Left, int Height, int Width)
{
    /// <summary>Patches in the block.</summary>
    public int Count => Height * Width;

    /// <summary>Whether the patch at a row and column lies in the block.</summary>
    public bool Contains(int row, int column) => row >= Top && row < Top + Height && column >= Left && column < Left + Width;

    /// <summary>Numbers of the block's patches on <paramref name="grid"/>, ascending: [<see cref="Count"/>].</summary>
    public long[] Indices(PatchGrid grid)
    {
        var indices = new long[Count];
        WriteIndices(grid, indices);
        return indices;
    }

    /// <summary>Writes the numbers of the block's patches, ascending, into the start of <paramref name="destination"/>.</summary>
    internal void WriteIndices(PatchGrid grid, Span<long> destination)
    {
        var at = 0;
        for (var row = Top; row < Top + Height; row++)
        {
            var first = grid.IndexOf(row, Left);
            for (var column = 0; column < Width; column++) destination[at++] = first + column;
        }
    }

    /// <summary>Sets the block's patches in <paramref name="map"/> [N] to 1.</summary>
    internal void Mark(PatchGrid grid, Span<byte> map)
    {
        for (var row = Top; row < Top + Height; row++) map.Slice(grid.IndexOf(row, Left), Width).Fill(1);
    }

    /// <summary>Writes the numbers of the block's patches that are 0 in <paramref name="map"/> [N], ascending; returns how many.</summary>
    internal int WriteUnmarked(PatchGrid grid, ReadOnlySpan<byte> map, Span<long> destination)
    {
        var at = 0;
        for (var row = Top; row < Top + Height; row++)
        {
            var first = grid.IndexOf(row, Left);
            var line = map.Slice(first, Width);
            for (var column = 0; column < line.Length; column++)
            {
                // Always written, kept only if unmarked: no branch to mispredict.
                destination[at] = first + column;
                at += 1 - line[column];
            }
        }

        return at;
    }
}
