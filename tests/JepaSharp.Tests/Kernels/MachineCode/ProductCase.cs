using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>Factors of a tile product in checked memory, and what has to come out.</summary>
/// <remarks>
/// All numbers are small whole ones over powers of two: products and sums are exact in every order, so that results have to agree to the bit. What
/// lies between rows is no number: whoever reads it spoils the result. A row's end, for the last row, is also the memory's.
/// </remarks>
internal sealed unsafe class ProductCase : IDisposable
{
    private const int Columns = TileProduct.Columns;
    private readonly int _rows, _words, _depth;
    private readonly TileEnd _end;
    private readonly float[] _left, _right, _before;
    private readonly int _resultStride, _resultSize;
    private readonly byte* _result, _beside;
    private TileArguments _arguments;

    public ProductCase(int rows, int words, bool pairs, LeftLayout layout, TileEnd end)
    {
        (_rows, _words, _depth, _end) = (rows, words, pairs ? 2 * words : words, end);
        var random = new RandomStream(7, RandomPurpose.Evaluation, sample: (((rows * 1000) + words) * 10) + (int)end);
        (_left, _right, _before) =
            (Numbers(ref random, rows * _depth, 8), Numbers(ref random, _depth * Columns, 16), Numbers(ref random, rows * Columns, 128));
        (Bias, _resultSize) = (Numbers(ref random, Columns, 8), IsRounded ? 2 : 4);
        _arguments = new TileArguments { Words = words, LeftStride = layout == LeftLayout.Rows ? (words * 4) + 24 : 0 };
        _arguments.Left = Memory.Take(
            "left", layout == LeftLayout.Panel ? words * TileProduct.PanelStep : (int)((rows - 1) * _arguments.LeftStride) + (words * 4), false);
        _arguments.Right = Memory.Take("right", words * TileProduct.PanelStep, isWritable: false);
        for (var k = 0; k < _depth; k++)
        {
            var (word, within) = pairs ? (k / 2, k % 2) : (k, 0);
            for (var r = 0; r < rows; r++)
            {
                var row = layout == LeftLayout.Panel ? (word * TileProduct.PanelStep) + (4 * r) : (r * (int)_arguments.LeftStride) + (4 * word);
                Put(_arguments.Left + row + (2 * within), _left[(r * _depth) + k], pairs);
            }

            for (var c = 0; c < Columns; c++)
                Put(_arguments.Right + (word * TileProduct.PanelStep) + (4 * c) + (2 * within), _right[(k * Columns) + c], pairs);
        }

        _resultStride = (Columns + 12) * _resultSize;
        var bytes = ((rows - 1) * _resultStride) + (Columns * _resultSize);
        _arguments.Result = _result = Memory.Take("result", bytes, isWritable: true);
        _arguments.ResultStride = _resultStride;
        if (end is TileEnd.Accumulate) Fill(_result);
        if (end is TileEnd.BiasBeside or TileEnd.BiasKeepGelu)
        {
            _arguments.Beside = _beside = Memory.Take("beside", bytes, isWritable: end == TileEnd.BiasKeepGelu);
            if (end == TileEnd.BiasBeside) Fill(_beside);
        }

        _arguments.Bias = (float*)Memory.Take("bias", Columns * sizeof(float), isWritable: false);
        Bias.CopyTo(new Span<float>(_arguments.Bias, Columns));
        _arguments.Constants = VectorFunctions.GeluConstants.Values;
        Memory.Lend("constants", _arguments.Constants, (VectorFunctions.GeluConstants.Highest + 1) * sizeof(float), isWritable: false);
    }

    /// <summary>What the code may touch.</summary>
    public CheckedMemory Memory { get; } = new();

    /// <summary>Of the columns.</summary>
    public float[] Bias { get; }

    private bool IsRounded => _end is TileEnd.Round or TileEnd.BiasRound or TileEnd.BiasGelu or TileEnd.BiasKeepGelu;

    /// <summary>What the product is given.</summary>
    public TileArguments Arguments => _arguments;

    /// <summary>Compares what was left with three nested loops.</summary>
    public void Check()
    {
        for (var r = 0; r < _rows; r++)
        {
            for (var c = 0; c < Columns; c++) Check(r, c, Sum(r, c));
            for (var i = Columns * _resultSize; r < _rows - 1 && i < _resultStride; i++)
            {
                if (_result[(r * _resultStride) + i] != 0xFF) Assert.Fail($"row {r} is written {i - (Columns * _resultSize)} bytes after its end");
            }
        }
    }

    /// <summary>The bytes of the results, gaps included.</summary>
    public byte[] Left() => new Span<byte>(_result, ((_rows - 1) * _resultStride) + (Columns * _resultSize)).ToArray();

    /// <inheritdoc/>
    public void Dispose() => Memory.Dispose();

    private void Check(int r, int c, float sum)
    {
        var at = (r * _resultStride) + (c * _resultSize);
        if (!IsRounded)
        {
            Equal(r, c, sum, *(float*)(_result + at));
            return;
        }

        var rounded = BrainNumbers.Low(BrainNumbers.Round(BitConverter.SingleToUInt32Bits(sum)));
        var actual = BrainNumbers.Low(*(ushort*)(_result + at));
        if (_end is TileEnd.Round or TileEnd.BiasRound)
        {
            Equal(r, c, rounded, actual);
            return;
        }

        if (_end == TileEnd.BiasKeepGelu) Equal(r, c, rounded, BrainNumbers.Low(*(ushort*)(_beside + at)));
        var gelu = Gelu(_end == TileEnd.BiasKeepGelu ? rounded : sum);
        if (!(Math.Abs(gelu - actual) <= 4e-5 + (Math.Abs(gelu) / 256))) Assert.Fail($"row {r}, column {c}: GELU {gelu} expected, {actual} found");
    }

    private static void Equal(int r, int c, float expected, float actual)
    {
        if (expected != actual) Assert.Fail($"row {r}, column {c}: {expected} expected, {actual} found");
    }

    private float Sum(int r, int c)
    {
        float sum = 0;
        for (var k = 0; k < _depth; k++) sum += _left[(r * _depth) + k] * _right[(k * Columns) + c];
        if (_end is TileEnd.Accumulate or TileEnd.BiasBeside) sum += _before[(r * Columns) + c];
        return _end is TileEnd.Store or TileEnd.Accumulate or TileEnd.Round ? sum : sum + Bias[c];
    }

    private void Fill(byte* target)
    {
        for (var r = 0; r < _rows; r++) _before.AsSpan(r * Columns, Columns).CopyTo(new Span<float>(target + (r * _resultStride), Columns));
    }

    /// <summary>x Φ(x), Φ by its series (Abramowitz and Stegun, 26.2.10), which converges for all x; beyond 7 it is 0 or 1.</summary>
    private static double Gelu(double x)
    {
        if (Math.Abs(x) > 7) return Math.Max(x, 0);
        double term = x, sum = x;
        for (var n = 1; n < 200; n++) sum += (term *= -x * x / (2 * n)) / ((2 * n) + 1);
        return x * (0.5 + (sum / Math.Sqrt(2 * Math.PI)));
    }

    private static float[] Numbers(ref RandomStream random, int count, int over)
    {
        var numbers = new float[count];
        for (var i = 0; i < count; i++) numbers[i] = (random.NextInt(17) - 8) / (float)over;
        return numbers;
    }

    private static void Put(byte* target, float value, bool half)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        if (half) *(ushort*)target = (ushort)(bits >> 16);
        else *(uint*)target = bits;
    }
}
