namespace JepaSharp.Masking;

/// <summary>Rows and columns of a block, without a position.</summary>
internal readonly record struct BlockSize(int Height, int Width)
{
    public int Count => Height * Width;

    /// <summary>For instance <c>3x4 = 12 patches</c>.</summary>
    public override string ToString() => $"{Height}x{Width} = {Count} {(Count == 1 ? "patch" : "patches")}";

    /// <summary>Most patches that two blocks of these sizes can share.</summary>
    public int MostShared(BlockSize other) => Math.Min(Height, other.Height) * Math.Min(Width, other.Width);

    public PatchBlock At(int top, int left) => new(top, left, Height, Width);
}

/// <summary>The sizes drawn for a batch: all its target blocks have one, all its context blocks the other.</summary>
internal readonly record struct BlockSizes(BlockSize Target, BlockSize Context);
