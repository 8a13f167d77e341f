using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>The routines for rows, emulated: rounding to the bit, the norm as its formula; and words transposed for AMX.</summary>
public sealed unsafe class RowRoutineTests : IDisposable
{
    private readonly CheckedMemory _memory = new();

    public void Dispose() => _memory.Dispose();

    [Theory]
    [InlineData(32)]
    [InlineData(96)]
    public void Round_OfARow_IsToTheNearestWithTiesToEven(int count)
    {
        var from = (float*)Row("from", count);
        var to = (ushort*)_memory.Take("to", count * 2, isWritable: true);
        from[0] = BitConverter.Int32BitsToSingle(0x3F808000);
        from[1] = BitConverter.Int32BitsToSingle(0x3F818000);
        new EmulatedCode(_memory).Round(new RoundArguments { From = from, To = (byte*)to, Count = count });
        Assert.Equal((0x3F80, 0x3F82), (to[0], to[1]));
        for (var i = 2; i < count; i++)
        {
            float below = BrainNumbers.Low(to[i]), error = Math.Abs(from[i] - below);
            Assert.True(error <= Math.Abs(from[i]) / 256, $"{from[i]} became {below}");
            foreach (var other in (int[])[-1, 1]) Assert.True(error <= Math.Abs(from[i] - BrainNumbers.Low((uint)(to[i] + other))));
        }
    }

    [Fact]
    public void Norm_OfARow_IsItsFormulaRounded()
    {
        const int Count = 64;
        float* row = (float*)Row("row", Count), scale = (float*)Row("scale", Count), shift = (float*)Row("shift", Count);
        var to = (ushort*)_memory.Take("to", Count * 2, isWritable: true);
        new EmulatedCode(_memory).Norm(new NormArguments
        {
            Row = row,
            Scale = scale,
            Shift = shift,
            Target = (byte*)to,
            Count = Count,
            Mean = 0.25f,
            Inverse = 1.5f
        });
        for (var i = 0; i < Count; i++)
        {
            var expected = ((row[i] - 0.25f) * 1.5f * scale[i]) + shift[i];
            Assert.Equal(BrainNumbers.Round(BitConverter.SingleToUInt32Bits(expected)), to[i]);
        }
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(16, 1)]
    [InlineData(45, 2)]
    [InlineData(64, 2)]
    public void Tiles_OfAPanel_HoldItsColumnsAsRows(int words, int halves)
    {
        var panel = (uint*)_memory.Take("panel", words * TileProduct.PanelStep, isWritable: false);
        for (var i = 0; i < words * 32; i++) panel[i] = (uint)i + 1;
        var bytes = (int)LeftTiles.Bytes(words, halves);
        var tiles = (uint*)_memory.Take("all tiles", bytes, isWritable: true);
        LeftTiles.Write(new EmulatedCode(_memory), (byte*)panel, words, (byte*)tiles, halves);
        var blocks = (words + 15) / 16;
        for (var column = 0; column < 16 * halves; column++)
        {
            for (var word = 0; word < 16 * blocks; word++)
            {
                var tile = ((column / 16 * blocks) + (word / 16)) * 256;
                Assert.Equal(word < words ? panel[(word * 32) + column] : 0, tiles[tile + (column % 16 * 16) + (word % 16)]);
            }
        }
    }

    private byte* Row(string name, int count)
    {
        var row = (float*)_memory.Take(name, count * sizeof(float), isWritable: false);
        for (var i = 0; i < count; i++) row[i] = (float)Math.Sin((i * 0.7) + name.Length) * 2;
        return (byte*)row;
    }
}
