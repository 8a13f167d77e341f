using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks.Amx;

/// <summary>Runs a tile product: what <see cref="TileProducts"/> and <see cref="AmxTileProducts"/> have in common.</summary>
internal delegate void TileRun(int rows, LeftLayout layout, TileEnd end, ref TileArguments arguments);

/// <summary>Random factors of a product [rows, 2 words] times [2 words, 32 panels], in bfloat16, and room for its result.</summary>
internal sealed unsafe class TileFactors : IDisposable
{
    private readonly NativeBuffer _left = new(), _right = new(), _result = new(), _beside = new(), _bias = new();

    public TileFactors(int rows, int words, int panels, LeftLayout layout = LeftLayout.Rows)
    {
        (Rows, Words, Panels, Layout) = (rows, words, panels, layout);
        var random = new RandomStream(5, RandomPurpose.Evaluation, sample: (rows * 1000) + words);
        LeftBytes = layout == LeftLayout.Rows ? (nint)rows * words * 4 : words * TileProduct.PanelStep;
        Left = Filled(_left.Take(LeftBytes), LeftBytes, ref random);
        Right = Filled(_right.Take((nint)panels * PanelBytes), (nint)panels * PanelBytes, ref random);
        var numbers = (nint)rows * panels * TileProduct.Columns;
        Result = _result.TakeFloats(numbers);
        Beside = _beside.TakeFloats(numbers);
        Bias = _bias.TakeFloats(panels * TileProduct.Columns);
        Clear();
        for (var c = 0; c < panels * TileProduct.Columns; c++) Bias[c] = (random.NextInt(200) - 100) / 64f;
    }

    public int Rows { get; }

    public int Words { get; }

    public int Panels { get; }

    public LeftLayout Layout { get; }

    public byte* Left { get; }

    public byte* Right { get; }

    /// <summary>Results, float32 or bfloat16, rows one after the other.</summary>
    public float* Result { get; }

    /// <summary>What is added to results, or kept beside them.</summary>
    public float* Beside { get; }

    public float* Bias { get; }

    public int PanelBytes => Words * TileProduct.PanelStep;

    private nint LeftBytes { get; }

    /// <summary>What one panel's product of some rows is given.</summary>
    public TileArguments Arguments(int row, int panel, TileEnd end)
    {
        var size = end is TileEnd.Store or TileEnd.Accumulate or TileEnd.Bias or TileEnd.BiasBeside ? sizeof(float) : sizeof(ushort);
        var (stride, column) = ((nint)Panels * TileProduct.Columns * size, panel * TileProduct.Columns * size);
        return new TileArguments
        {
            Left = Left + (row * (nint)Words * 4),
            LeftStride = Words * 4,
            Right = Right + (panel * (nint)PanelBytes),
            Words = Words,
            Result = (byte*)Result + (row * stride) + column,
            ResultStride = stride,
            Bias = Bias + (panel * TileProduct.Columns),
            Constants = VectorFunctions.GeluConstants.Values,
            Beside = (byte*)Beside + (row * stride) + column,
        };
    }

    /// <summary>Results and what is beside them become 0.25.</summary>
    public void Clear()
    {
        var numbers = Rows * Panels * TileProduct.Columns;
        new Span<float>(Result, numbers).Fill(0.25f);
        new Span<float>(Beside, numbers).Fill(0.25f);
    }

    /// <summary>What the sum of products of a result is, and the sum of their absolute values.</summary>
    public (double Sum, double Size) Oracle(int row, int column)
    {
        double sum = 0, size = 0;
        for (var k = 0; k < 2 * Words; k++)
        {
            var (word, within) = (k / 2, k % 2);
            var left = Layout == LeftLayout.Rows ? (row * Words * 2) + k : (word * 2 * TileProduct.Columns) + (2 * row) + within;
            var (panel, place) = Math.DivRem(column, TileProduct.Columns);
            var right = (panel * (PanelBytes / 2)) + (word * 2 * TileProduct.Columns) + (place * 2) + within;
            var product = (double)Value(((ushort*)Left)[left]) * Value(((ushort*)Right)[right]);
            (sum, size) = (sum + product, size + Math.Abs(product));
        }

        return (sum, size);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in (NativeBuffer[])[_left, _right, _result, _beside, _bias]) buffer.Dispose();
    }

    public static float Value(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    // Between 0.25 and 1 in size, 128 apart each.
    private static byte* Filled(byte* memory, nint bytes, ref RandomStream random)
    {
        for (nint i = 0; i < bytes / 2; i++) ((ushort*)memory)[i] = (ushort)(0x3E80 + random.NextInt(256) + (random.NextInt(2) << 15));
        return memory;
    }
}
