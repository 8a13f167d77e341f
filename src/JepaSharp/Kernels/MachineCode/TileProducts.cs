namespace JepaSharp.Kernels.MachineCode;

/// <summary>The tile products of one number format, made when first asked for and kept.</summary>
internal sealed unsafe class TileProducts
{
    private const int Ends = (int)TileEnd.BiasKeepGelu + 1;
    private readonly delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>[] _code =
        new delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>[2 * Ends * (TileProduct.MaxRows + 1)];

    private TileProducts(bool pairs)
    {
        var all = new List<(int Slot, byte[] Code)>();
        foreach (var (layout, end) in (pairs ? Everywhere.Concat(OfPairs) : Everywhere))
        {
            for (var rows = 1; rows <= TileProduct.MaxRows; rows++)
                all.Add((Slot(rows, layout, end), TileProduct.Generate(rows, pairs, layout, end)));
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

    internal TileProducts(AmxTileProducts amx) => Amx = amx;

    /// <summary>For words of one float32.</summary>
    public static TileProducts Singles { get; } = new(pairs: false);

    /// <summary>For words of two bfloat16; only on processors with AVX512_BF16. With AMX where that was asked for.</summary>
    /// <exception cref="PlatformNotSupportedException">AMX was asked for, and there is none here.</exception>
    public static TileProducts Pairs => LazyPairs.Value;

    private static readonly Lazy<TileProducts> LazyPairs = new(
        () => AmxSupport.IsChosen ? new TileProducts(new AmxTileProducts(AmxCode.Placed)) : new TileProducts(pairs: true));

    /// <summary>Those with AMX that do the work; null where none do.</summary>
    public AmxTileProducts? Amx { get; }

    private static IEnumerable<(LeftLayout, TileEnd)> Everywhere =>
    [
        (LeftLayout.Rows, TileEnd.Store), (LeftLayout.Rows, TileEnd.Accumulate), (LeftLayout.Rows, TileEnd.Bias),
        (LeftLayout.Rows, TileEnd.BiasBeside),
        (LeftLayout.Panel, TileEnd.Store), (LeftLayout.Panel, TileEnd.Accumulate),
    ];

    private static IEnumerable<(LeftLayout, TileEnd)> OfPairs =>
        [(LeftLayout.Rows, TileEnd.Round), (LeftLayout.Rows, TileEnd.BiasRound), (LeftLayout.Rows, TileEnd.BiasGelu), (
            LeftLayout.Rows, TileEnd.BiasKeepGelu)];

    /// <summary>Multiplies tiles one below the other, as equal as can be: one of two rows would take nearly as long as one of six.</summary>
    /// <remarks>Ends that round are for pairs and rows alone.</remarks>
    /// <param name="rows">Rows of all tiles; of a panel up to <see cref="TileProduct.Columns"/>.</param>
    /// <param name="layout">Of the left factor.</param>
    /// <param name="end">What becomes of the results.</param>
    /// <param name="arguments">Those of the first tile; changed.</param>
    public void Run(int rows, LeftLayout layout, TileEnd end, ref TileArguments arguments)
    {
        if (Amx is not null)
        {
            Amx.Run(rows, layout, end, ref arguments);
            return;
        }

        fixed (delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>* code = &_code[Slot(0, layout, end)])
        fixed (TileArguments* tile = &arguments)
        {
            for (var tiles = (rows + TileProduct.MaxRows - 1) / TileProduct.MaxRows; tiles > 0; tiles--)
            {
                var count = tiles == 1 ? rows : (rows + tiles - 1) / tiles;
                code[count](tile);
                rows -= count;
                tile->Left += count * (layout == LeftLayout.Panel ? sizeof(float) : tile->LeftStride);
                tile->Result = (byte*)tile->Result + (count * tile->ResultStride);
                tile->Beside = (byte*)tile->Beside + (count * tile->ResultStride);
            }
        }
    }

    private static int Slot(int rows, LeftLayout layout, TileEnd end) => ((((int)layout * Ends) + (int)end) * (TileProduct.MaxRows + 1)) + rows;
}
