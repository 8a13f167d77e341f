using System.Runtime.CompilerServices;

namespace JepaSharp.Data.Cropping;

/// <summary>One axis of an antialiased resize: which input pixels make an output pixel, and with what fixed-point weights.</summary>
/// <remarks>
/// Output pixel i has its centre at c = start + (i + 1/2) s in the input, where s is input length over output length. Input pixel j weighs
/// f((j + 1/2 - c) / max(s, 1)), normalised to a sum of one and rounded to 22 fractional bits: Pillow's arithmetic, to the bit.
/// </remarks>
internal sealed class AxisWeights
{
    /// <summary>Fractional bits of a weight: 32, less 8 of the pixel and 2 for overshoot.</summary>
    public const int Precision = 32 - 8 - 2;

    private int[] _first = [], _used = [], _weights = [];
    private double[] _exact = [];

    /// <summary>Output pixels.</summary>
    public int Count { get; private set; }

    /// <summary>Weights stored for each output pixel; those that it does not use are zero. Even.</summary>
    public int Taps { get; private set; }

    /// <summary>First input pixel that any output pixel needs.</summary>
    public int NeededFirst { get; private set; }

    /// <summary>One past the last input pixel that any output pixel needs.</summary>
    public int NeededEnd { get; private set; }

    /// <summary>First input pixel of output pixel <paramref name="i"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int First(int i) => _first[i];

    /// <summary>How many input pixels output pixel <paramref name="i"/> uses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Used(int i) => _used[i];

    /// <summary>[Taps], the weights of output pixel <paramref name="i"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<int> Weights(int i) => _weights.AsSpan(i * Taps, Taps);

    /// <summary>Computes the weights of the outputs windowFirst .. windowFirst + windowCount.</summary>
    /// <param name="offset">Input pixel that the axis starts at; added to every index.</param>
    /// <param name="size">Input pixels there are; none beyond is used.</param>
    /// <param name="start">Where the resized interval begins, from <paramref name="offset"/>.</param>
    /// <param name="length">Length of the resized interval in input pixels.</param>
    /// <param name="outputSize">Output pixels that the interval is resized to.</param>
    /// <param name="windowFirst">First output pixel wanted.</param>
    /// <param name="windowCount">Output pixels wanted.</param>
    /// <param name="filter">Kernel.</param>
    public void Compute(int offset, int size, double start, double length, int outputSize, int windowFirst, int windowCount, ResampleFilter filter)
    {
        var scale = length / outputSize;
        var widening = Math.Max(scale, 1);
        var support = (filter == ResampleFilter.Bilinear ? 1.0 : 2.0) * widening;
        var taps = ((int)Math.Ceiling(support) * 2) + 1;
        Count = windowCount;
        Taps = (taps + 1) & ~1;
        if (_first.Length < windowCount) (_first, _used) = (new int[windowCount], new int[windowCount]);
        if (_weights.Length < windowCount * Taps) _weights = new int[windowCount * Taps];
        if (_exact.Length < taps) _exact = new double[taps];
        (NeededFirst, NeededEnd) = (int.MaxValue, int.MinValue);
        for (var i = 0; i < windowCount; i++)
        {
            var center = start + ((windowFirst + i + 0.5) * scale);
            var first = Math.Max(0, (int)(center - support + 0.5));
            var end = Math.Min(size, (int)(center + support + 0.5));
            var sum = 0.0;
            for (var j = first; j < end; j++)
                sum += _exact[j - first] = Kernel(filter, (j - center + 0.5) * (1 / widening));
            var weights = _weights.AsSpan(i * Taps, Taps);
            weights.Clear();
            for (var j = 0; j < end - first; j++)
            {
                var weight = sum == 0 ? _exact[j] : _exact[j] / sum;
                weights[j] = (int)((weight * (1 << Precision)) + (weight < 0 ? -0.5 : 0.5));
            }

            (_first[i], _used[i]) = (offset + first, end - first);
            NeededFirst = Math.Min(NeededFirst, offset + first);
            NeededEnd = Math.Max(NeededEnd, offset + end);
        }
    }

    /// <summary>The kernel f at x.</summary>
    internal static double Kernel(ResampleFilter filter, double x)
    {
        x = Math.Abs(x);
        if (filter == ResampleFilter.Bilinear) return x < 1 ? 1 - x : 0;
        const double a = -0.5;
        if (x < 1) return ((((a + 2) * x) - (a + 3)) * x * x) + 1;
        return x < 2 ? (((((x - 5) * x) + 8) * x) - 4) * a : 0;
    }
}
