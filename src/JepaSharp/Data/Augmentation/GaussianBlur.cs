using System.Buffers;
using System.Runtime.Intrinsics;

namespace JepaSharp.Data.Augmentation;

/// <summary>Gaussian blur of 8-bit RGB as three extended box blurs along rows and three along columns: Pillow's, to the byte.</summary>
/// <remarks>
/// Source: Gwosdek et al., "Theoretical foundations of Gaussian convolution by extended box filtering", 2011. Of the deviation σ the three boxes have
/// a third of the variance each: s² = σ² / 3, L = √(12 s² + 1), l = floor((L - 1) / 2), radius r = l + (2 l + 1) (l (l + 1) - 3 s²) / (6 (s² - (l +
/// 1)²)), in 32-bit floats. A box of radius r = n + a fraction weighs 2 n + 1 pixels alike and the two beyond by the fraction, in 24-bit fixed point;
/// beyond the border the border pixel repeats. Boxes go down columns, many of them at once; rows are turned into columns first.
/// </remarks>
public static class GaussianBlur
{
    private const int Passes = 3, Fraction = 24, Tile = 16;

    /// <summary>Blurs in place.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="width">W in pixels.</param>
    /// <param name="height">H in pixels.</param>
    /// <param name="deviation">σ in pixels, 0 or more.</param>
    public static void Apply(Span<byte> pixels, int width, int height, double deviation)
    {
        var radius = RadiusOf((float)deviation);
        if (radius == 0) return;
        var rented = ArrayPool<byte>.Shared.Rent(2 * pixels.Length);
        var sums = ArrayPool<uint>.Shared.Rent(3 * Math.Max(width, height));
        Span<byte> turned = rented.AsSpan(0, pixels.Length), other = rented.AsSpan(pixels.Length, pixels.Length);
        Turn(pixels, turned, width, height);
        Boxes(turned, other, width, 3 * height, radius, sums);
        TurnBack(other, pixels, width, height);
        Boxes(pixels, turned, height, 3 * width, radius, sums);
        turned.CopyTo(pixels);
        ArrayPool<byte>.Shared.Return(rented);
        ArrayPool<uint>.Shared.Return(sums);
    }

    /// <summary>Radius of each of the boxes.</summary>
    private static float RadiusOf(float deviation)
    {
        var variance = deviation * deviation / Passes;
        var length = (float)Math.Sqrt((12.0 * variance) + 1.0);
        var whole = (float)Math.Floor((length - 1.0) / 2.0);
        var fraction = ((2 * whole) + 1) * ((whole * (whole + 1)) - (3 * variance));
        return whole + (fraction / (6 * (variance - ((whole + 1) * (whole + 1)))));
    }

    /// <summary>Three boxes down the columns; both are written over, and the result is in the second.</summary>
    private static void Boxes(Span<byte> from, Span<byte> to, int lines, int length, float radius, Span<uint> sums)
    {
        Box(from, to, lines, length, radius, sums);
        Box(to, from, lines, length, radius, sums);
        Box(from, to, lines, length, radius, sums);
    }

    /// <summary>One box blur down every column of <paramref name="lines"/> lines of <paramref name="length"/> bytes.</summary>
    private static void Box(ReadOnlySpan<byte> from, Span<byte> to, int lines, int length, float radius, Span<uint> sums)
    {
        var whole = (int)radius;
        var inner = (uint)((1 << Fraction) / ((radius * 2) + 1));
        var outer = ((1u << Fraction) - ((uint)((2 * whole) + 1) * inner)) / 2;
        var last = lines - 1;
        sums = sums[..length];
        sums.Clear();
        for (var j = -whole; j <= whole; j++)
        {
            var line = from.Slice(Math.Clamp(j, 0, last) * length, length);
            for (var x = 0; x < length; x++) sums[x] += line[x];
        }

        for (var i = 0; i < lines; i++)
        {
            var before = from.Slice(Math.Max(i - whole - 1, 0) * length, length);
            var after = from.Slice(Math.Min(i + whole + 1, last) * length, length);
            var leaving = from.Slice(Math.Max(i - whole, 0) * length, length);
            Line(before, after, leaving, sums, to.Slice(i * length, length), inner, outer);
        }
    }

    private static void Line(
        ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, ReadOnlySpan<byte> leaving, Span<uint> sums, Span<byte> to, uint inner, uint outer)
    {
        const uint half = 1u << (Fraction - 1);
        var x = 0;
        var (inners, outers, halves) = (Vector256.Create(inner), Vector256.Create(outer), Vector256.Create(half));
        for (; x + Vector256<byte>.Count <= to.Length; x += Vector256<byte>.Count)
        {
            var (b, a, l) = (Vector256.Create(before[x..]), Vector256.Create(after[x..]), Vector256.Create(leaving[x..]));
            var ((b0, b1), (a0, a1), (l0, l1)) = (Vector256.Widen(b), Vector256.Widen(a), Vector256.Widen(l));
            var low = Vector256.Narrow(
                Eight(Vector256.WidenLower(b0), Vector256.WidenLower(a0), Vector256.WidenLower(l0), sums[x..], inners, outers, halves),
                Eight(Vector256.WidenUpper(b0), Vector256.WidenUpper(a0), Vector256.WidenUpper(l0), sums[(x + 8)..], inners, outers, halves));
            var high = Vector256.Narrow(
                Eight(Vector256.WidenLower(b1), Vector256.WidenLower(a1), Vector256.WidenLower(l1), sums[(x + 16)..], inners, outers, halves),
                Eight(Vector256.WidenUpper(b1), Vector256.WidenUpper(a1), Vector256.WidenUpper(l1), sums[(x + 24)..], inners, outers, halves));
            Vector256.Narrow(low, high).CopyTo(to[x..]);
        }

        for (; x < to.Length; x++)
        {
            uint outside = (uint)before[x] + after[x];
            to[x] = (byte)(((inner * sums[x]) + (outer * outside) + half) >> Fraction);
            sums[x] = sums[x] + after[x] - leaving[x];
        }
    }

    /// <summary>Eight results; the sums move on by a line.</summary>
    private static Vector256<uint> Eight(
        Vector256<uint> before, Vector256<uint> after, Vector256<uint> leaving, Span<uint> sums, Vector256<uint> inner, Vector256<uint> outer,
        Vector256<uint> half)
    {
        var sum = Vector256.Create<uint>(sums);
        (sum + after - leaving).CopyTo(sums);
        return Vector256.ShiftRightLogical((inner * sum) + (outer * (before + after)) + half, Fraction);
    }

    /// <summary>[H, W, 3] to [W, 3, H], in pieces of some lines.</summary>
    private static void Turn(ReadOnlySpan<byte> from, Span<byte> to, int width, int height)
    {
        for (var top = 0; top < height; top += Tile)
        {
            var count = Math.Min(Tile, height - top);
            for (var x = 0; x < 3 * width; x++)
            {
                var column = to.Slice((x * height) + top, count);
                for (var (y, at) = (0, (top * 3 * width) + x); y < column.Length; y++, at += 3 * width) column[y] = from[at];
            }
        }
    }

    /// <summary>[W, 3, H] to [H, W, 3], in pieces of some lines.</summary>
    private static void TurnBack(ReadOnlySpan<byte> from, Span<byte> to, int width, int height)
    {
        for (var top = 0; top < height; top += Tile)
        {
            var count = Math.Min(Tile, height - top);
            for (var x = 0; x < 3 * width; x++)
            {
                var column = from.Slice((x * height) + top, count);
                for (var (y, at) = (0, (top * 3 * width) + x); y < column.Length; y++, at += 3 * width) to[at] = column[y];
            }
        }
    }
}
