using Iced.Intel;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>What the emulator does for AMX instructions; what the processor would refuse ends the test.</summary>
internal static unsafe class TileSteps
{
    /// <summary>The step; null where the instruction is of another kind.</summary>
    public static Action<EmulatedProcessor>? Of(Instruction one)
    {
        var place = new Place(one);
        int Tile(int operand) => one.GetOpRegister(operand).GetNumber();
        switch (one.Mnemonic)
        {
            case Mnemonic.Ldtilecfg: return p => p.Tiles.Configure(new ReadOnlySpan<byte>(p.Memory.Reach(place.Address(p), 64, write: false), 64));
            case Mnemonic.Sttilecfg:
                return p => p.Tiles.Shapes.CopyTo(new Span<byte>(p.Memory.Reach(place.Address(p), 64, write: true), 64));
            case Mnemonic.Tilerelease: return p => p.Tiles.Release();
            case Mnemonic.Tilezero: return Zero(Tile(0));
            case Mnemonic.Tileloadd or Mnemonic.Tileloaddt1: return Load(Tile(0), place);
            case Mnemonic.Tilestored: return Store(Tile(1), place);
            case Mnemonic.Tdpbf16ps:
                var (sum, left, right) = (Tile(0), Tile(1), Tile(2));
                return p => p.Tiles.Multiply(sum, left, right);
            default: return null;
        }
    }

    private static Action<EmulatedProcessor> Zero(int tile) => p =>
    {
        p.Tiles.Check(tile);
        p.Tiles.Of(tile).Clear();
    };

    private static Action<EmulatedProcessor> Load(int tile, Place place) => p =>
    {
        p.Tiles.Check(tile);
        var (rows, bytes) = (p.Tiles.Rows(tile), p.Tiles.RowBytes(tile));
        p.Tiles.Of(tile).Clear();
        for (var row = 0; row < rows; row++)
        {
            var from = p.Memory.Reach(place.Address(p, withIndex: false) + ((ulong)row * place.Stride(p)), bytes, write: false);
            new Span<byte>(from, bytes).CopyTo(p.Tiles.Of(tile)[(row * 64)..]);
        }
    };

    private static Action<EmulatedProcessor> Store(int tile, Place place) => p =>
    {
        p.Tiles.Check(tile);
        var (rows, bytes) = (p.Tiles.Rows(tile), p.Tiles.RowBytes(tile));
        for (var row = 0; row < rows; row++)
        {
            var to = p.Memory.Reach(place.Address(p, withIndex: false) + ((ulong)row * place.Stride(p)), bytes, write: true);
            p.Tiles.Of(tile).Slice(row * 64, bytes).CopyTo(new Span<byte>(to, bytes));
        }
    };
}
