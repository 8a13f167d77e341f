namespace JepaSharp.Kernels.MachineCode;

/// <summary>The tile products of one number format, made when first asked for and kept.</summary>
internal sealed unsafe class TileProducts
{
    private readonly delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>[] _code =
        new delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>[4 * (TileProduct.MaxRows + 1)];

    private TileProducts(bool pairs)
    {
        var all = new List<(int Slot, byte[] Code)>();
        foreach (var layout in (LeftLayout[])[LeftLayout.Rows, LeftLayout.Panel])
        {
            foreach (var accumulate in (bool[])[false, true])
            {
                for (var rows = 1; rows <= TileProduct.MaxRows; rows++) all.Add((Slot(rows, layout, accumulate), TileProduct.Generate(rows, pairs, layout, accumulate)));
            }
        }

        // Together in one mapping, each at the start of a cache line.
        var bytes = new List<byte>();
        var starts = new List<(int Slot, int Start)>();
        foreach (var (slot, code) in all)
        {
            while (bytes.Count % 64 != 0) bytes.Add(0x90);
            starts.Add((slot, bytes.Count));
            bytes.AddRange(code);
        }

        var placed = MappedMemory.PlaceCode(bytes.ToArray());
        foreach (var (slot, start) in starts) _code[slot] = (delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>)(placed + start);
    }

    /// <summary>For words of one float32.</summary>
    public static TileProducts Singles { get; } = new(pairs: false);

    /// <summary>For words of two bfloat16; only on processors with AVX512_BF16.</summary>
    public static TileProducts Pairs => LazyPairs.Value;

    private static readonly Lazy<TileProducts> LazyPairs = new(() => new TileProducts(pairs: true));

    /// <summary>Multiplies one tile.</summary>
    public void Run(int rows, LeftLayout layout, bool accumulate, TileArguments* arguments) => _code[Slot(rows, layout, accumulate)](arguments);

    private static int Slot(int rows, LeftLayout layout, bool accumulate) =>
        (((layout == LeftLayout.Panel ? 2 : 0) + (accumulate ? 1 : 0)) * (TileProduct.MaxRows + 1)) + rows;
}
