using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>The eight tiles of an emulated processor and their shapes.</summary>
internal sealed class TileState
{
    private readonly byte[] _tiles = new byte[8 * 1024];

    /// <summary>As LDTILECFG reads and STTILECFG writes them; all zero where tiles are not in use.</summary>
    public byte[] Shapes { get; } = new byte[64];

    /// <summary>How often the shapes were set.</summary>
    public int TimesConfigured { get; private set; }

    public Span<byte> Of(int tile) => _tiles.AsSpan(tile * 1024, 1024);

    public int Rows(int tile) => Shapes[48 + tile];

    public int RowBytes(int tile) => MemoryMarshal.Read<ushort>(Shapes.AsSpan(16 + (2 * tile)));

    public void Configure(ReadOnlySpan<byte> shapes)
    {
        shapes.CopyTo(Shapes);
        _tiles.AsSpan().Clear();
        TimesConfigured++;
        if (Shapes[0] == 0)
        {
            Shapes.AsSpan().Clear();
            return;
        }

        Assert.Equal(1, Shapes[0]);
        Assert.Equal(0, Shapes[1]);
        foreach (var reserved in (ReadOnlySpan<Range>)[2..16, 32..48, 56..64]) Assert.All(Shapes[reserved], b => Assert.Equal(0, b));
        for (var tile = 0; tile < 8; tile++)
        {
            Assert.InRange(Rows(tile), 0, 16);
            Assert.InRange(RowBytes(tile), 0, 64);
            Assert.Equal(Rows(tile) == 0, RowBytes(tile) == 0);
        }
    }

    public void Release() => Configure(new byte[64]);

    /// <summary>A tile that is in use.</summary>
    public void Check(int tile)
    {
        Assert.NotEqual(0, Shapes[0]);
        Assert.InRange(tile, 0, 7);
        Assert.NotEqual(0, Rows(tile));
    }

    /// <summary>
    /// sum += left right (TDPBF16PS): for each row of the left the products of lower halves are added up along the words, those of upper halves
    /// beside them, then both, then that to what was there.
    /// </summary>
    public void Multiply(int sum, int left, int right)
    {
        foreach (var tile in (ReadOnlySpan<int>)[sum, left, right]) Check(tile);
        Assert.Equal(3, new HashSet<int> { sum, left, right }.Count);
        Assert.Equal(Rows(sum), Rows(left));
        Assert.Equal(RowBytes(sum), RowBytes(right));
        Assert.Equal(RowBytes(left) / 4, Rows(right));
        Assert.Equal(64, RowBytes(sum)); // of what is emulated

        var words = RowBytes(left) / 4;
        Span<float> low = stackalloc float[256], high = stackalloc float[256];
        var rightWords = MemoryMarshal.Cast<byte, uint>(Of(right));
        for (var i = 0; i < 16 * words; i++) (low[i], high[i]) = (BrainNumbers.Low(rightWords[i]), BrainNumbers.High(rightWords[i]));
        for (var row = 0; row < Rows(sum); row++)
        {
            var leftWords = MemoryMarshal.Cast<byte, uint>(Of(left))[(row * 16)..];
            var target = MemoryMarshal.Cast<byte, float>(Of(sum))[(row * 16)..];
            for (var column = 0; column < 16; column += 8)
            {
                Vector256<float> lower = default, upper = default;
                for (var word = 0; word < words; word++)
                {
                    var at = (16 * word) + column;
                    lower = Add(lower, BrainNumbers.Low(leftWords[word]), low[at..]);
                    upper = Add(upper, BrainNumbers.High(leftWords[word]), high[at..]);
                }

                var before = Flushed(Vector256.Create<float>(target.Slice(column, 8)));
                Flushed(before + Flushed(lower + upper)).CopyTo(target[column..]);
            }
        }
    }

    private static Vector256<float> Add(Vector256<float> to, float left, ReadOnlySpan<float> right) =>
        Flushed(Vector256.FusedMultiplyAdd(Vector256.Create(left), Vector256.Create<float>(right[..8]), to));

    private static Vector256<float> Flushed(Vector256<float> values) =>
        Vector256.ConditionalSelect(
            Vector256.LessThan(Vector256.Abs(values), Vector256.Create(BitConverter.UInt32BitsToSingle(0x00800000))),
            values & Vector256.Create(-0f), values);
}
