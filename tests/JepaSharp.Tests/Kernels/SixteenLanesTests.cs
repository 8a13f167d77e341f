using System.Runtime.Intrinsics;
using JepaSharp.Kernels;

namespace JepaSharp.Tests.Kernels;

/// <summary>Operations that are one instruction with AVX-512 and two halves with AVX2, against plain arithmetic.</summary>
public sealed unsafe class SixteenLanesTests
{
    [Fact]
    public void Scale_ByPowersOfTwo_IsExact()
    {
        KernelFact.NeedsSingles();
        for (var n = -148; n <= 127; n++)
        {
            // One significant digit is left of the smallest, so that nothing is rounded.
            var x = n < -140 ? 1f : 1.5f;
            var scaled = SixteenLanes.Scale(Vector512.Create(x), Vector512.Create((float)n));
            for (var lane = 0; lane < 16; lane++) Assert.Equal((float)(x * Math.Pow(2, n)), scaled[lane]);
        }

        Assert.True(float.IsNaN(SixteenLanes.Scale(Vector512.Create(float.NaN), Vector512<float>.One)[9]));
    }

    [Fact]
    public void Nearest_OfHalves_IsEven()
    {
        KernelFact.NeedsSingles();
        var x = Numbers(i => (i - 8) / 2f);
        var nearest = SixteenLanes.Nearest(x);
        for (var lane = 0; lane < 16; lane++) Assert.Equal(MathF.Round(x[lane], MidpointRounding.ToEven), nearest[lane]);
    }

    [Fact]
    public void GreatestAndLeast_OfNoNumber_AreTheSecond()
    {
        KernelFact.NeedsSingles();
        var (a, b) = (Numbers(i => i % 3 == 0 ? float.NaN : i), Numbers(i => i % 5 == 0 ? float.NaN : 15 - i));
        Vector512<float> greatest = SixteenLanes.Greatest(a, b), least = SixteenLanes.Least(a, b);
        for (var lane = 0; lane < 16; lane++)
        {
            var isNone = float.IsNaN(a[lane]) || float.IsNaN(b[lane]);
            Assert.Equal(isNone ? b[lane] : Math.Max(a[lane], b[lane]), greatest[lane]);
            Assert.Equal(isNone ? b[lane] : Math.Min(a[lane], b[lane]), least[lane]);
        }
    }

    [Fact]
    public void WidenedAndNarrowed_OfAllUpperHalves_GiveThemBack()
    {
        KernelFact.NeedsSingles();
        var numbers = new ushort[16];
        for (var first = 0; first < 65536; first += 16)
        {
            for (var i = 0; i < 16; i++) numbers[i] = (ushort)(first + i);
            fixed (ushort* source = numbers)
            {
                var wide = SixteenLanes.Widened(source);
                for (var i = 0; i < 16; i++) Assert.Equal(numbers[i], wide[i]);
                var narrow = SixteenLanes.Narrowed(wide);
                for (var i = 0; i < 16; i++) Assert.Equal(numbers[i], narrow[i]);
            }
        }
    }

    [Fact]
    public void Transposition_OfRowsApart_SwapsRowsAndColumns()
    {
        KernelFact.NeedsSingles();
        const int Stride = 20, Step = 24; // words
        var (from, to) = (new uint[16 * Stride], new uint[16 * Step]);
        for (var i = 0; i < from.Length; i++) from[i] = (uint)i * 2654435761;
        fixed (uint* source = from)
        fixed (uint* target = to)
        {
            WordTransposition.Run((byte*)source, Stride * 4, (byte*)target, Step * 4);
        }

        for (var r = 0; r < 16; r++)
        {
            for (var c = 0; c < 16; c++) Assert.Equal(from[(r * Stride) + c], to[(c * Step) + r]);
        }
    }

    private static Vector512<float> Numbers(Func<int, float> of)
    {
        var numbers = stackalloc float[16];
        for (var i = 0; i < 16; i++) numbers[i] = of(i);
        return Vector512.Load(numbers);
    }
}
