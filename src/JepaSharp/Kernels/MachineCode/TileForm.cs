namespace JepaSharp.Kernels.MachineCode;

/// <summary>What a tile product is made of: vectors of a processor, and the numbers in a word.</summary>
/// <param name="VectorBytes">64 (AVX-512) or 32 (AVX2).</param>
/// <param name="Pairs">A word holds two bfloat16, multiplied and added in one instruction (AVX512_BF16); else one float32.</param>
/// <param name="MaxRows">Most rows of a tile: two vectors each have to leave registers for the factors.</param>
internal sealed record TileForm(int VectorBytes, bool Pairs, int MaxRows)
{
    /// <summary>float32, 256-bit vectors and 16 registers (AVX2, FMA).</summary>
    public static TileForm Narrow { get; } = new(32, Pairs: false, MaxRows: 6);

    /// <summary>float32, 512-bit vectors and 32 registers (AVX-512).</summary>
    public static TileForm Wide { get; } = new(64, Pairs: false, MaxRows: 12);

    /// <summary>Pairs of bfloat16, 512-bit vectors (AVX512_BF16).</summary>
    public static TileForm WidePairs { get; } = new(64, Pairs: true, MaxRows: 12);

    /// <summary>Floats of a vector.</summary>
    public int Lanes => VectorBytes / sizeof(float);

    /// <summary>The first of two registers for the right factor: above the results.</summary>
    public int Right => 2 * MaxRows;

    /// <summary>The first register for the left factor.</summary>
    public int Left => Right + 2;

    /// <summary>Registers for the left factor.</summary>
    public int Lefts => (VectorBytes == 64 ? 32 : 16) - Left;
}
