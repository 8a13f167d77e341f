using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Tests.Kernels.MachineCode;

/// <summary>The emulator ends what a processor would not notice, and what it would refuse.</summary>
public sealed unsafe class EmulatorTests : IDisposable
{
    private readonly CheckedMemory _memory = new();

    public void Dispose() => _memory.Dispose();

    [Theory]
    [InlineData(0, false)]
    [InlineData(4, true)]
    [InlineData(-4, true)]
    public void Load_PastAPiece_EndsTheTest(int displacement, bool ends)
    {
        var at = _memory.Take("factor", 64, isWritable: false);
        Ends<OutsideException>(ends, at, code => code.LoadVector(0, new Address(Register.Rdi, displacement)));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Store_IntoAFactor_EndsTheTest(bool isWritable, bool ends)
    {
        var at = _memory.Take("factor", 64, isWritable);
        Ends<OutsideException>(ends, at, code => code.StoreVector(new Address(Register.Rdi), 0));
    }

    [Theory]
    [InlineData(0x7F, false)]
    [InlineData(0xFF, true)]
    public void MaskedLoad_OfMoreLanesThanThereAre_EndsTheTest(int mask, bool ends)
    {
        var at = _memory.Take("mask and factor", 2 + (7 * 4), isWritable: false);
        *(ushort*)at = (ushort)mask;
        Ends<OutsideException>(ends, at, code =>
        {
            code.LoadMask(new Address(Register.Rdi));
            code.LoadMasked(0, new Address(Register.Rdi, 2));
        });
    }

    [Theory]
    [InlineData(16, 4, false)]
    [InlineData(17, 4, true)] // rows
    [InlineData(16, 0, true)] // row bytes, with rows
    public void Shapes_ThatTheProcessorRefuses_EndTheTest(int rows, int rowBytes, bool ends)
    {
        var at = _memory.Take("shapes", 64, isWritable: false);
        AmxShapes.Write(32, new Span<byte>(at, 64));
        (at[48], at[16]) = ((byte)rows, (byte)rowBytes);
        Ends<Exception>(ends, at, code => code.LoadTileShapes(new Address(Register.Rdi)));
    }

    [Theory]
    [InlineData(0, 4, 6, false)]
    [InlineData(0, 4, 4, true)] // the same tile twice
    [InlineData(0, 5, 6, true)] // other rows on the left than in the sum
    public void Multiply_OfTilesThatDoNotFit_EndsTheTest(int sum, int left, int right, bool ends)
    {
        var at = _memory.Take("shapes", 64, isWritable: false);
        AmxShapes.Write(23, new Span<byte>(at, 64));
        Ends<Exception>(ends, at, code =>
        {
            code.LoadTileShapes(new Address(Register.Rdi));
            code.MultiplyTiles(sum, left, right);
        });
    }

    [Fact]
    public void Tiles_WithoutShapes_EndTheTest()
    {
        Ends<Exception>(true, _memory.Take("nothing", 64, isWritable: false), code => code.ZeroTile(0));
        Ends<Exception>(true, _memory.Take("shapes", 64, isWritable: false), code =>
        {
            code.ReleaseTiles();
            code.ZeroTile(0);
        });
    }

    /// <summary>Small numbers are zero, before and after (Intel SDM, VDPBF16PS and TDPBF16PS), and products are added up as the manual
    /// says.</summary>
    [Fact]
    public void BrainNumbers_TooSmallToBeNormal_AreZero()
    {
        Assert.Equal(0, BrainNumbers.Low(0x0000_0040));
        Assert.Equal(0, BrainNumbers.Round(0x0040_0000));
        Assert.Equal(0x3F80, BrainNumbers.Round(0x3F80_8000)); // half way: to the even one
        Assert.Equal(0x3F82, BrainNumbers.Round(0x3F81_8000));
        uint half = 0x3F00, two = 0x4000;
        var sum = BrainNumbers.Dot(0x3F80_0000, (two << 16) | half, (two << 16) | two);
        Assert.Equal(1 + (2 * 2) + (0.5f * 2), BitConverter.UInt32BitsToSingle(sum));
        Assert.Equal(0u, BrainNumbers.Dot(0, 0x0080, 0x3F00)); // the smallest normal number, halved
    }

    private void Ends<T>(bool ends, byte* at, Action<Assembler> write)
        where T : Exception
    {
        var code = new Assembler();
        write(code);
        code.Return();
        var thrown = Record.Exception(() => new EmulatedProcessor(_memory).Call(new DecodedCode(code.ToArray()), at));
        if (ends) Assert.IsAssignableFrom<T>(thrown);
        else Assert.Null(thrown);
    }
}
