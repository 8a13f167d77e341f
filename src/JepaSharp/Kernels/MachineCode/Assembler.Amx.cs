namespace JepaSharp.Kernels.MachineCode;

/// <summary>Tiles of up to 16 rows of 64 bytes (Intel AMX), and what moving data to and from them needs.</summary>
/// <remarks>
/// Encodings: Intel SDM, volume 2, section 2.3 (VEX) and the pages of the instructions. There are eight tiles, 0 to 7. A tile's rows lie in memory
/// at base + displacement + row · index · scale: the index register is the stride.
/// </remarks>
internal sealed partial class Assembler
{
    private const int NoPrefix = 0, Prefix66 = 1, PrefixF3 = 2, PrefixF2 = 3;

    /// <summary>The shapes of the tiles are the 64 bytes at source; all tiles become zero.</summary>
    public void LoadTileShapes(Address source) => Tile(NoPrefix, 0x49, 0, source);

    /// <summary>64 bytes at target &lt;- the shapes of the tiles; all zero where there are none.</summary>
    public void StoreTileShapes(Address target) => Tile(Prefix66, 0x49, 0, target);

    /// <summary>No tile is in use any more.</summary>
    public void ReleaseTiles() => Tile(NoPrefix, 0x49, 0, 0, 0);

    /// <summary>tile &lt;- 0.</summary>
    public void ZeroTile(int tile) => Tile(PrefixF2, 0x49, tile, 0, 0);

    /// <summary>tile &lt;- rows at source.</summary>
    public void LoadTile(int tile, Address source) => Tile(PrefixF2, 0x4B, tile, Strided(source));

    /// <summary>The same, with the hint that the rows will not be wanted again soon.</summary>
    public void LoadTileOnce(int tile, Address source) => Tile(Prefix66, 0x4B, tile, Strided(source));

    /// <summary>Rows at target &lt;- tile.</summary>
    public void StoreTile(Address target, int tile) => Tile(PrefixF3, 0x4B, tile, Strided(target));

    /// <summary>sum[r, c] += Σ over words k of left[r, k] right[k, c], where words hold two bfloat16 each and their two products are added up
    /// (AMX-BF16).</summary>
    public void MultiplyTiles(int sum, int left, int right) => Tile(PrefixF3, 0x5C, sum, right, left);

    /// <summary>target &lt;- value.</summary>
    public void Set(Register target, int value)
    {
        Code.AddRange([(byte)(0x48 | ((int)target >> 3)), 0xC7, (byte)(0xC0 | ((int)target & 7))]);
        Number(value);
    }

    /// <summary>target += the 8 bytes at source.</summary>
    public void Add(Register target, Address source) => Integer(0x03, (int)target, source);

    /// <summary>target &lt;- the bits in which it differs from the 8 bytes at source.</summary>
    public void Differ(Register target, Address source) => Integer(0x33, (int)target, source);

    /// <summary>target &lt;- the bits of both, and compares them with zero on the way.</summary>
    public void Or(Register target, Register source) =>
        Code.AddRange(
        [
            (byte)(0x48 | ((int)target >> 3 << 2) | ((int)source >> 3)), 0x0B, (byte)(0xC0 | (((int)target & 7) << 3) | ((int)source & 7)),
        ]);

    /// <summary>Jumps ahead where the last result was zero.</summary>
    public int JumpAheadIfZero() => JumpAhead(0x84);

    /// <summary>RAX &lt;- which states the system saves (XCR0); RCX and RDX are changed.</summary>
    public void ReadSavedStates() =>
        Code.AddRange([0x31, 0xC9, 0x0F, 0x01, 0xD0, 0x48, 0xC1, 0xE2, 0x20, 0x48, 0x09, 0xD0]);

    /// <summary>Mask k1 &lt;- the 16 bits at source.</summary>
    public void LoadMask(Address source)
    {
        Code.AddRange([0xC4, Extensions(0, source, map: 1), 0x78, 0x90]);
        Place(1, source);
    }

    /// <summary>target &lt;- of the 64 bytes at source the 4-byte lanes that mask k1 names, zero elsewhere; no others are read.</summary>
    public void LoadMasked(int target, Address source)
    {
        var start = Code.Count;
        LoadVector(target, source);
        Code[start + 3] |= 0x81; // zeroing, k1
    }

    /// <summary>Within each 16 bytes: target &lt;- the lower (or upper) two 4-byte lanes of a and b by turns.</summary>
    public void Interleave(int target, int a, int b, bool upper) => Vector((byte)(upper ? 0x6A : 0x62), map: 1, prefix: 1, target, a, b);

    /// <summary>Within each 16 bytes: target &lt;- the lower (or upper) 8 bytes of a, then of b.</summary>
    public void InterleaveHalves(int target, int a, int b, bool upper)
    {
        var start = Code.Count;
        Vector((byte)(upper ? 0x6D : 0x6C), map: 1, prefix: 1, target, a, b);
        Code[start + 2] |= 0x80; // 8 bytes a lane
    }

    /// <summary>target &lt;- quarters 0 and 2 of a, then of b; or 1 and 3.</summary>
    public void Quarters(int target, int a, int b, bool odd)
    {
        Vector(0x43, map: 3, prefix: 1, target, a, b);
        Code.Add((byte)(odd ? 0xDD : 0x88));
    }

    private static Address Strided(Address rows) =>
        rows.Index is not null ? rows : throw new ArgumentException("A tile's rows need a register that holds their stride.", nameof(rows));

    /// <summary>The registers' fourth bits, stored inverted, and which map of opcodes.</summary>
    private static byte Extensions(int register, Address memory, int map) =>
        (byte)((((register >> 3) ^ 1) << 7) | (((memory.Index is { } i ? (int)i >> 3 : 0) ^ 1) << 6) | ((((int)memory.Base >> 3) ^ 1) << 5) | map);

    private void Tile(int prefix, byte opcode, int tile, Address memory)
    {
        Check(tile);
        Code.AddRange([0xC4, Extensions(0, memory, map: 2), (byte)(0x78 | prefix), opcode]);
        Place(tile, memory);
    }

    private void Tile(int prefix, byte opcode, int tile, int second, int third)
    {
        Check(tile);
        Check(second);
        Check(third);
        Code.AddRange([0xC4, 0xE2, (byte)(((~second & 15) << 3) | prefix), opcode, (byte)(0xC0 | (tile << 3) | third)]);
    }

    /// <summary>ModR/M, SIB and displacement, as short as can be.</summary>
    private void Place(int register, Address memory)
    {
        var low = (int)memory.Base & 7;
        var (none, isShort) = (memory.Displacement == 0 && low != 5, memory.Displacement is >= -128 and <= 127); // RBP and R13 need one
        var mode = none ? 0 : isShort ? 0x40 : 0x80;
        var bySib = memory.Index is not null || low == 4;
        Code.Add((byte)(mode | (register << 3) | (bySib ? 4 : low)));
        if (bySib) Code.Add((byte)((int.Log2(memory.Scale) << 6) | (((memory.Index is { } index ? (int)index : 4) & 7) << 3) | low));
        if (none) return;
        if (isShort) Code.Add((byte)memory.Displacement);
        else Number(memory.Displacement);
    }

    private static void Check(int tile) => ArgumentOutOfRangeException.ThrowIfNotEqual(tile is >= 0 and <= 7, true, nameof(tile));
}
