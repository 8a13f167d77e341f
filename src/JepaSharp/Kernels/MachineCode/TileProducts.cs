using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace JepaSharp.Kernels.MachineCode;

/// <summary>The tile products of one number format, made when first asked for and kept.</summary>
internal sealed unsafe class TileProducts
{
    private const int Ends = (int)TileEnd.BiasKeepGelu + 1;
    private readonly delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>[] _code;
    private readonly TileForm _form;
    private static readonly Lazy<TileProducts> LazyNarrow = new(() => new TileProducts(TileForm.Narrow));
    private static readonly Lazy<TileProducts> LazyWide = new(() => new TileProducts(TileForm.Wide));
    private static readonly Lazy<TileProducts> LazyPairs = new(() => new TileProducts(TileForm.WidePairs));
    private static readonly Lazy<TileProducts> LazyAmxPairs = new(() => new TileProducts(new AmxTileProducts(AmxCode.Placed)));

    private TileProducts(TileForm form)
    {
        _form = form;
        _code = new delegate* unmanaged[SuppressGCTransition]<TileArguments*, void>[2 * Ends * (form.MaxRows + 1)];
        var all = new List<(int Slot, byte[] Code)>();
        foreach (var (layout, end) in (Rounds(form) ? Everywhere.Concat(Rounding) : Everywhere))
        {
            for (var rows = 1; rows <= form.MaxRows; rows++)
                all.Add((Slot(rows, layout, end), TileProduct.Generate(rows, form, layout, end)));
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

    internal TileProducts(AmxTileProducts amx)
    {
        (Amx, _form) = (amx, TileForm.WidePairs);
        _code = [];
    }

    /// <summary>For words of one float32, with the widest vectors that the processor has.</summary>
    public static TileProducts Singles { get; } = Avx512F.IsSupported ? Wide : Narrow;

    /// <summary>For words of one float32, with 256-bit vectors.</summary>
    public static TileProducts Narrow => LazyNarrow.Value;

    /// <summary>For words of one float32, with 512-bit vectors; only on processors with AVX-512.</summary>
    public static TileProducts Wide => LazyWide.Value;

    /// <summary>For words of two bfloat16; only on processors with AVX512_BF16.</summary>
    public static TileProducts Pairs => LazyPairs.Value;

    /// <summary>For words of two bfloat16, with Intel AMX; only where <see cref="AmxSupport.IsSupported"/>.</summary>
    public static TileProducts AmxPairs => LazyAmxPairs.Value;

    /// <summary>Those with AMX that do the work; null where none do.</summary>
    public AmxTileProducts? Amx { get; }

    private static IEnumerable<(LeftLayout, TileEnd)> Everywhere =>
    [
        (LeftLayout.Rows, TileEnd.Store), (LeftLayout.Rows, TileEnd.Accumulate), (LeftLayout.Rows, TileEnd.Bias),
        (LeftLayout.Rows, TileEnd.BiasBeside),
        (LeftLayout.Panel, TileEnd.Store), (LeftLayout.Panel, TileEnd.Accumulate),
    ];

    private static IEnumerable<(LeftLayout, TileEnd)> Rounding =>
        [(LeftLayout.Rows, TileEnd.Round), (LeftLayout.Rows, TileEnd.BiasRound), (LeftLayout.Rows, TileEnd.BiasGelu), (
            LeftLayout.Rows, TileEnd.BiasKeepGelu)];

    /// <summary>Whether there is code for it: ends that round need 512-bit vectors and AVX512_BF16.</summary>
    public bool Has(TileEnd end) => end <= TileEnd.BiasBeside || Rounds(_form);

    private static bool Rounds(TileForm form) => form.VectorBytes == 64 && KernelSupport.Pairs;

    /// <summary>Multiplies tiles one below the other, as equal as can be: one of two rows would take nearly as long as one of six.</summary>
    /// <remarks>Ends that round are for rows alone.</remarks>
    /// <param name="rows">Rows of all tiles; of a panel up to <see cref="TileProduct.Columns"/>.</param>
    /// <param name="layout">Of the left factor.</param>
    /// <param name="end">What becomes of the results.</param>
    /// <param name="arguments">Those of the first tile; changed.</param>
    [SkipLocalsInit]
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
            SavedRegisters saved;
            tile->Saved = &saved;
            for (var tiles = (rows + _form.MaxRows - 1) / _form.MaxRows; tiles > 0; tiles--)
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

    private int Slot(int rows, LeftLayout layout, TileEnd end) => ((((int)layout * Ends) + (int)end) * (_form.MaxRows + 1)) + rows;
}
