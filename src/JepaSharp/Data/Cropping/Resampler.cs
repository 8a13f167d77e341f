using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using JepaSharp.Data.Decoding;

namespace JepaSharp.Data.Cropping;

/// <summary>Antialiased separable resize of uint8 RGB: rows first, rounded to uint8, then columns, as Pillow does it and with its numbers.</summary>
/// <remarks>out(x, y) = round(sum_j v(y, j) round(sum_i h(x, i) in(i, j))), weights from <see cref="AxisWeights"/>. Keeps its memory; one for each
/// thread.</remarks>
internal sealed class Resampler
{
    private const int Half = 1 << (AxisWeights.Precision - 1);

    private int[] _repeated = [];
    private byte[] _rows = [];
    private byte[] _expanded = [];

    public AxisWeights Horizontal { get; } = new();

    public AxisWeights Vertical { get; } = new();

    /// <summary>Computes both axes for a box of the full-size image.</summary>
    /// <returns>The pixels needed.</returns>
    public PixelBox Prepare(in CropGeometry geometry, int reduction = 1)
    {
        Prepare(Horizontal, geometry.Box.Left, geometry.Box.Width, reduction, geometry.Width, geometry.Window.Left, geometry.Window.Width,
            geometry.Filter);
        Prepare(Vertical, geometry.Box.Top, geometry.Box.Height, reduction, geometry.Height, geometry.Window.Top, geometry.Window.Height,
            geometry.Filter);
        var (left, top) = (Horizontal.NeededFirst, Vertical.NeededFirst);
        return new PixelBox(left, top, Horizontal.NeededEnd - left, Vertical.NeededEnd - top);
    }

    /// <summary>Bytes that a resize holds beside its input and output: the rows, narrowed to the window.</summary>
    public long MemoryToResize => (3L * Horizontal.Count * (Vertical.NeededEnd - Vertical.NeededFirst)) + PixelBuffer.Padding;

    /// <summary>Resizes what <see cref="Prepare(in CropGeometry, int)"/> described.</summary>
    /// <param name="source">At least the pixels needed.</param>
    /// <param name="output">[h, w, 3] of the geometry's window.</param>
    public void Resize(in PixelRegion source, Span<byte> output)
    {
        Begin();
        AddRows(source);
        End(output);
    }

    /// <summary>Makes ready for the rows of what <see cref="Prepare(in CropGeometry, int)"/> described.</summary>
    public void Begin()
    {
        RepeatWeights();
        var bytes = checked((int)MemoryToResize);
        if (_rows.Length < bytes) _rows = GC.AllocateUninitializedArray<byte>(bytes);
    }

    /// <summary>Narrows rows of the image to the window; those that are not needed are passed over. Every needed row has to come once, in any
    /// order.</summary>
    /// <param name="band">All columns needed of some rows.</param>
    public void AddRows(in PixelRegion band)
    {
        var stride = 3 * Horizontal.Count;
        var left = Horizontal.NeededFirst - band.Box.Left;
        var width = Horizontal.NeededEnd - Horizontal.NeededFirst;
        var end = Math.Min(Vertical.NeededEnd, band.Box.Top + band.Box.Height);
        for (var y = Math.Max(Vertical.NeededFirst, band.Box.Top); y < end; y++)
        {
            var start = ((y - band.Box.Top) * band.Stride) + (left * band.BytesPerPixel);
            ref var row = ref band.BytesPerPixel == 4
                ? ref band.Bytes[start]
                : ref Expand(band.Bytes.AsSpan(start, 3 * width));
            ResizeRow(ref row, ref _rows[stride * (y - Vertical.NeededFirst)]);
        }
    }

    /// <summary>Makes the window of the narrowed rows.</summary>
    /// <param name="output">[h, w, 3] of the geometry's window.</param>
    public void End(Span<byte> output)
    {
        int stride = 3 * Horizontal.Count, firstRow = Vertical.NeededFirst;
        if (output.Length != stride * Vertical.Count)
            throw new ArgumentException($"The window has {stride * Vertical.Count} bytes; found room for {output.Length}.", nameof(output));
        for (var y = 0; y < Vertical.Count; y++)
            ResizeColumns(
                _rows.AsSpan((Vertical.First(y) - firstRow) * stride), Vertical.Weights(y)[..Vertical.Used(y)], output.Slice(y * stride, stride));
    }

    /// <summary>Lets go of more than may be kept.</summary>
    public void Trim(long kept)
    {
        if (_rows.Length > kept) _rows = [];
    }

    private static void Prepare(
        AxisWeights axis, int first, int length, int reduction, int output, int windowFirst, int windowCount, ResampleFilter filter)
    {
        var offset = first / reduction;
        var end = (first + length + reduction - 1) / reduction;
        axis.Compute(
            offset, end - offset, ((double)first / reduction) - offset, (double)length / reduction, output, windowFirst, windowCount, filter);
    }

    /// <summary>Each weight four times, once for each byte of a pixel.</summary>
    private void RepeatWeights()
    {
        var count = Horizontal.Count * Horizontal.Taps;
        if (_repeated.Length < 4 * count) _repeated = new int[4 * count];
        for (var i = 0; i < Horizontal.Count; i++)
        {
            var weights = Horizontal.Weights(i);
            for (var t = 0; t < weights.Length; t++)
                Vector128.Create(weights[t]).StoreUnsafe(ref _repeated[4 * ((i * Horizontal.Taps) + t)]);
        }
    }

    /// <summary>A row of three-byte pixels with a fourth byte each.</summary>
    private ref byte Expand(ReadOnlySpan<byte> row)
    {
        var length = row.Length / 3 * 4;
        if (_expanded.Length < length + PixelBuffer.Padding) _expanded = new byte[length + PixelBuffer.Padding];
        for (int x = 0, to = 0; x < row.Length; x += 3, to += 4)
            (_expanded[to], _expanded[to + 1], _expanded[to + 2]) = (row[x], row[x + 1], row[x + 2]);
        return ref MemoryMarshal.GetArrayDataReference(_expanded);
    }

    /// <summary>Two taps at a time: eight bytes are two pixels. A last odd tap meets a zero weight. Writes one byte past the row.</summary>
    private void ResizeRow(ref byte row, ref byte output)
    {
        ref var weights = ref MemoryMarshal.GetArrayDataReference(_repeated);
        var (count, taps, origin) = (Horizontal.Count, Horizontal.Taps, Horizontal.NeededFirst);
        for (var x = 0; x < count; x++)
        {
            ref var pixel = ref Unsafe.Add(ref row, 4 * (Horizontal.First(x) - origin));
            ref var weight = ref Unsafe.Add(ref weights, 4 * x * taps);
            var used = Horizontal.Used(x);
            var sums = Vector256<int>.Zero;
            for (var t = 0; t < used; t += 2)
                sums += LoadEight(ref Unsafe.Add(ref pixel, 4 * t)) * Vector256.LoadUnsafe(ref weight, (nuint)(4 * t));
            var sum = Vector128.Max((sums.GetLower() + sums.GetUpper() + Vector128.Create(Half)) >> AxisWeights.Precision, Vector128<int>.Zero);
            var shorts = Vector128.NarrowWithSaturation(sum, sum).AsUInt16();
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref output, 3 * x), Vector128.NarrowWithSaturation(shorts, shorts).AsUInt32().ToScalar());
        }
    }

    private static void ResizeColumns(ReadOnlySpan<byte> rows, ReadOnlySpan<int> weights, Span<byte> output)
    {
        var stride = output.Length;
        ref var source = ref MemoryMarshal.GetReference(rows);
        var x = 0;
        for (; x <= stride - 32; x += 32)
        {
            Vector256<int> a = Vector256.Create(Half), b = a, c = a, d = a;
            for (var t = 0; t < weights.Length; t++)
            {
                var weight = Vector256.Create(weights[t]);
                ref var pixels = ref Unsafe.Add(ref source, (t * stride) + x);
                a += LoadEight(ref pixels) * weight;
                b += LoadEight(ref Unsafe.Add(ref pixels, 8)) * weight;
                c += LoadEight(ref Unsafe.Add(ref pixels, 16)) * weight;
                d += LoadEight(ref Unsafe.Add(ref pixels, 24)) * weight;
            }

            Vector256.NarrowWithSaturation(ToShorts(a, b), ToShorts(c, d)).StoreUnsafe(ref output[x]);
        }

        for (; x < stride; x++)
        {
            var sum = Half;
            for (var t = 0; t < weights.Length; t++) sum += rows[(t * stride) + x] * weights[t];
            output[x] = (byte)Math.Clamp(sum >> AxisWeights.Precision, 0, 255);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> ToShorts(Vector256<int> low, Vector256<int> high) =>
        Vector256.NarrowWithSaturation(
            Vector256.Max(low >> AxisWeights.Precision, Vector256<int>.Zero),
            Vector256.Max(high >> AxisWeights.Precision, Vector256<int>.Zero)).AsUInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> LoadEight(ref byte first)
    {
        var bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(ref first)).AsByte();
        if (Avx2.IsSupported) return Avx2.ConvertToVector256Int32(bytes);
        var shorts = Vector128.WidenLower(bytes);
        return Vector256.Create(Vector128.WidenLower(shorts).AsInt32(), Vector128.WidenUpper(shorts).AsInt32());
    }
}
