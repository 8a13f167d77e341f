namespace JepaSharp.Masking;

/// <summary>Rows and columns of a block, without a position.</summary>
internal readonly record struct BlockSize(int Height, int Width)
{
    public int Count => Height * Width;

    public PatchBlock At(int top, int left) => new(top, left, Height, Width);
}

/// <summary>The sizes drawn for a batch: all its target blocks have one, all its context blocks the other.</summary>
internal readonly record struct BlockSizes(BlockSize Target, BlockSize Context);
