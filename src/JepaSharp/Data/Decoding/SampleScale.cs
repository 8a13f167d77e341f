using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using NetVips;

namespace JepaSharp.Data.Decoding;

/// <summary>The least and the greatest of an image's samples, and whether all are whole numbers.</summary>
internal struct SampleRange()
{
    public double Least { get; private set; } = double.PositiveInfinity;

    public double Greatest { get; private set; } = double.NegativeInfinity;

    public bool AreWhole { get; private set; } = true;

    public bool AreFinite { get; private set; } = true;

    /// <summary>Looks at more samples.</summary>
    /// <param name="samples">[n, channels].</param>
    /// <param name="layout">Which of the channels are colours.</param>
    public void Add<T>(ReadOnlySpan<T> samples, SampleLayout layout)
        where T : unmanaged, INumberBase<T>
    {
        var (colours, channels) = (layout.Colours, layout.Channels);
        for (var i = 0; i + channels <= samples.Length; i += channels)
        {
            for (var c = 0; c < colours; c++)
            {
                var value = double.CreateTruncating(samples[i + c]);
                if (!double.IsFinite(value)) AreFinite = false;
                if (value < Least) Least = value;
                if (value > Greatest) Greatest = value;
                if (value != Math.Floor(value)) AreWhole = false;
            }
        }
    }
}

/// <summary>How samples of more than eight bits become levels of 0 to 255: level = floor(sample factor + offset).</summary>
/// <param name="Factor">Levels to a unit of a sample.</param>
/// <param name="Offset">0 to round downwards, 1/2 to round to the nearest.</param>
internal readonly record struct SampleScale(double Factor, double Offset)
{
    // An image that has nothing brighter than this is taken for one whose white is somewhere else.
    private const int DarkestWhite = 16;

    private const double Slack = 1e-6;

    /// <summary>Whether the scale is known from what was seen so far.</summary>
    public static bool IsKnown(Enums.BandFormat format, SampleRange range) =>
        UnsignedFactor(format) is { } factor && range.Greatest * factor >= DarkestWhite;

    /// <summary>The scale of an image, or why there is none.</summary>
    /// <param name="format">What a sample is.</param>
    /// <param name="range">All samples of the image.</param>
    /// <param name="reason">What the image holds and what to do, where there is no scale.</param>
    public static SampleScale? Of(Enums.BandFormat format, SampleRange range, out string reason)
    {
        reason = "";
        var bits = 8 * BytesOf(format);
        if (UnsignedFactor(format) is { } factor)
        {
            if (range.Greatest == 0 || range.Greatest * factor >= DarkestWhite) return new(factor, 0);
            reason = string.Create(
                CultureInfo.InvariantCulture,
                $"of {bits} bits end at {range.Greatest:N0} of {(1L << bits) - 1:N0}, so that the image would come out black. Store them scaled to "
                    + $"all of {bits} bits, or in 8 bits.");
            return null;
        }

        var isFloat = format is Enums.BandFormat.Float or Enums.BandFormat.Double;
        var what = isFloat ? $"are {bits}-bit floats" : $"are signed integers of {bits} bits";
        if (!range.AreFinite)
        {
            reason = $"{what}, some of which are not numbers (NaN) or infinite. Store the image in 8 or 16 bits, or as floats from 0 to 1.";
            return null;
        }

        if (isFloat && range.Least >= -Slack && range.Greatest <= 1 + Slack && (range.Greatest <= 0 || range.Greatest * 255 >= DarkestWhite))
            return new(255, 0.5);
        if (range is { AreWhole: true, Least: >= 0, Greatest: 0 or (>= DarkestWhite and <= 255) }) return new(1, 0);
        reason = string.Create(
            CultureInfo.InvariantCulture,
            $"{what} from {range.Least:G6} to {range.Greatest:G6}, and which of them is black and which white is not known. Store the image in 8 or "
                + $"16 bits, or as floats from 0 to 1.");
        return null;
    }

    /// <summary>Bytes of a sample.</summary>
    public static int BytesOf(Enums.BandFormat format) => format switch
    {
        Enums.BandFormat.Uchar or Enums.BandFormat.Char => 1,
        Enums.BandFormat.Ushort or Enums.BandFormat.Short => 2,
        Enums.BandFormat.Uint or Enums.BandFormat.Int or Enums.BandFormat.Float => 4,
        Enums.BandFormat.Dpcomplex => 16,
        _ => 8,
    };

    /// <summary>Adds samples to a range.</summary>
    public static void Look(Enums.BandFormat format, ReadOnlySpan<byte> samples, SampleLayout layout, ref SampleRange range)
    {
        switch (format)
        {
            case Enums.BandFormat.Char: range.Add(MemoryMarshal.Cast<byte, sbyte>(samples), layout); break;
            case Enums.BandFormat.Ushort: range.Add(MemoryMarshal.Cast<byte, ushort>(samples), layout); break;
            case Enums.BandFormat.Short: range.Add(MemoryMarshal.Cast<byte, short>(samples), layout); break;
            case Enums.BandFormat.Uint: range.Add(MemoryMarshal.Cast<byte, uint>(samples), layout); break;
            case Enums.BandFormat.Int: range.Add(MemoryMarshal.Cast<byte, int>(samples), layout); break;
            case Enums.BandFormat.Float: range.Add(MemoryMarshal.Cast<byte, float>(samples), layout); break;
            case Enums.BandFormat.Double: range.Add(MemoryMarshal.Cast<byte, double>(samples), layout); break;
            default: throw new ArgumentOutOfRangeException(nameof(format), format, "Expected real samples of more than eight unsigned bits.");
        }
    }

    /// <summary>Scales samples to levels.</summary>
    public void Apply(Enums.BandFormat format, ReadOnlySpan<byte> samples, Span<byte> levels)
    {
        switch (format)
        {
            case Enums.BandFormat.Char: Apply(MemoryMarshal.Cast<byte, sbyte>(samples), levels); break;
            case Enums.BandFormat.Ushort: Apply(MemoryMarshal.Cast<byte, ushort>(samples), levels); break;
            case Enums.BandFormat.Short: Apply(MemoryMarshal.Cast<byte, short>(samples), levels); break;
            case Enums.BandFormat.Uint: Apply(MemoryMarshal.Cast<byte, uint>(samples), levels); break;
            case Enums.BandFormat.Int: Apply(MemoryMarshal.Cast<byte, int>(samples), levels); break;
            case Enums.BandFormat.Float: Apply(MemoryMarshal.Cast<byte, float>(samples), levels); break;
            default: Apply(MemoryMarshal.Cast<byte, double>(samples), levels); break;
        }
    }

    private static double? UnsignedFactor(Enums.BandFormat format) => format switch
    {
        Enums.BandFormat.Ushort => 1.0 / (1 << 8),
        Enums.BandFormat.Uint => 1.0 / (1 << 24),
        _ => null,
    };

    private void Apply<T>(ReadOnlySpan<T> samples, Span<byte> levels)
        where T : unmanaged, INumberBase<T>
    {
        for (var i = 0; i < samples.Length; i++) levels[i] = (byte)Math.Clamp((double.CreateTruncating(samples[i]) * Factor) + Offset, 0, 255);
    }
}
