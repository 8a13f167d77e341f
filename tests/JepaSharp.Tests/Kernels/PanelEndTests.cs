using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Tests.Kernels;

/// <summary>The ends of products that are machine code, against the same done afterwards.</summary>
public sealed unsafe class PanelEndTests : IDisposable
{
    private const int Columns = 80, Words = 9; // two whole panels and half of one: the half one is always done afterwards
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(40)]
    public void Fused_InBfloat16_LeavesTheSameBits(int rows)
    {
        KernelFact.NeedsPairs();
        nint stride = Columns * 2;
        var bias = Numbers(Columns);
        Check<Brain16, StoreWithBias<Brain16>>(rows, (to, _) => new(to, stride, bias), stride);
        Check<Brain16, Store<Brain16>>(rows, (to, _) => new(to, stride), stride);
        Check<Brain16, ApplyGelu<Brain16>>(rows, (to, _) => new(to, null, stride, bias), stride);
        Check<Brain16, ApplyGelu<Brain16>>(rows, (to, beside) => new(to, beside, stride, bias), stride);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(40)]
    public void Fused_InFloat32_LeavesTheSameBits(int rows)
    {
        KernelFact.NeedsSingles();
        nint stride = Columns * 4;
        var (bias, residual) = ((nint)Numbers(Columns), (nint)Numbers(rows * Columns));
        Check<Single32, StoreWithBias<Single32>>(rows, (to, _) => new(to, stride, (float*)bias), stride);
        Check<Single32, Store<Single32>>(rows, (to, _) => new(to, stride), stride);
        Check<Single32, StoreFloats>(rows, (to, _) => new((float*)to, Columns), stride);
        Check<Single32, AddBias>(rows, (to, _) => new((float*)to, null, Columns, (float*)bias), stride);
        Check<Single32, AddBias>(rows, (to, _) => new((float*)to, (float*)residual, Columns, (float*)bias), stride);
    }

    [Fact]
    public void Rounding_OfManyNumbers_IsToTheNearestWithTiesToEven()
    {
        KernelFact.NeedsPairs();
        const int Count = 80;
        var from = Numbers(Count);
        (from[0], from[1], from[2], from[3]) =
            (BitConverter.Int32BitsToSingle(0x3F808000), BitConverter.Int32BitsToSingle(0x3F818000), float.PositiveInfinity, float.NaN);
        var to = (ushort*)_scratch.Take(Count * 2);
        Brain16.Round(from, Count, (byte*)to);
        Assert.Equal(0x3F80, to[0]);
        Assert.Equal(0x3F82, to[1]);
        Assert.Equal(0x7F80, to[2]);
        Assert.True(float.IsNaN(BitConverter.Int32BitsToSingle(to[3] << 16)));
        for (var i = 4; i < Count; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(from[i]);
            Assert.Equal((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16), to[i]);
        }
    }

    private void Check<T, TEnd>(int rows, Func<Address, Address, TEnd> end, nint stride)
        where T : struct, IElement
        where TEnd : struct, IPanelEnd
    {
        var (inner, bytes) = (Words * T.PerWord, rows * stride);
        byte* left = _scratch.Take((nint)rows * Words * 4), right = _scratch.Take(Packing.Bytes(Columns, Words));
        T.Round(Numbers((rows * inner) + 16), ((rows * inner) + 15) & ~15, left);
        new Span<byte>(right, (int)Packing.Bytes(Columns, Words)).Clear();
        Packing.FloatRows<T>(Numbers(inner * Columns), Columns, inner, Columns, right, Words);
        byte* fused = _scratch.Take(bytes), fusedBeside = _scratch.Take(bytes), plain = _scratch.Take(bytes), plainBeside = _scratch.Take(bytes);
        foreach (var place in (Address[])[fused, fusedBeside, plain, plainBeside]) new Span<byte>(place, (int)bytes).Clear();
        var tile = _scratch.TakeFloats(rows * TileProduct.Columns);
        var one = end(fused, fusedBeside);
        var arguments = default(TileArguments);
        Assert.NotNull(one.Fuse(0, ref arguments));
        Products.Multiply<T, TEnd>(left, Words * 4, rows, right, Words, Columns, tile, one, _scratch);
        var other = end(plain, plainBeside);
        for (var column = 0; column < Columns; column += 32)
        {
            Products.Panel<T>(left, Words * 4, rows, right + (column / 32 * Words * TileProduct.PanelStep), Words, tile, 32);
            other.Take(tile, rows, column, Math.Min(32, Columns - column));
        }

        Assert.Equal(new ReadOnlySpan<byte>(plain, (int)bytes), new ReadOnlySpan<byte>(fused, (int)bytes));
        Assert.Equal(new ReadOnlySpan<byte>(plainBeside, (int)bytes), new ReadOnlySpan<byte>(fusedBeside, (int)bytes));
        Assert.Contains(new ReadOnlySpan<byte>(plain, (int)bytes).ToArray(), b => b != 0);
    }

    private float* Numbers(int count)
    {
        var numbers = _scratch.TakeFloats(count);
        for (var i = 0; i < count; i++) numbers[i] = (float)Math.Sin(i * 0.7) * 2;
        return numbers;
    }

    /// <summary>A pointer that may be an argument of a function type.</summary>
    private readonly struct Address(byte* at)
    {
        private readonly byte* _at = at;

        public static implicit operator Address(byte* at) => new(at);

        public static implicit operator byte*(Address address) => address._at;

        public static explicit operator float*(Address address) => (float*)address._at;
    }
}
