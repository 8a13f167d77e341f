namespace JepaSharp.Data.Decoding;

/// <summary>What the first channels of an image are.</summary>
internal enum ColourKind
{
    /// <summary>Grey: one channel.</summary>
    Grey,

    /// <summary>Red, green and blue.</summary>
    Rgb,

    /// <summary>Cyan, magenta, yellow and black ink.</summary>
    Cmyk,
}

/// <summary>What an image's samples are as a decoder hands them out.</summary>
/// <param name="Colour">What the channels are; more of them may follow and are left out.</param>
/// <param name="Channels">Channels in all.</param>
internal readonly record struct SampleLayout(ColourKind Colour, int Channels)
{
    /// <summary>Channels that are looked at.</summary>
    public int Colours => Colour switch
    {
        ColourKind.Grey => 1,
        ColourKind.Rgb => 3,
        _ => 4,
    };

    /// <summary>Makes pixels of samples of eight bits.</summary>
    /// <param name="samples">[n, Channels].</param>
    /// <param name="pixels">[n, 4]: red, green, blue and one that is ignored.</param>
    public void ToPixels(ReadOnlySpan<byte> samples, Span<byte> pixels)
    {
        for (int from = 0, to = 0; from < samples.Length; from += Channels, to += 4)
        {
            var sample = samples.Slice(from, Channels);
            var (red, green, blue) = Colour switch
            {
                ColourKind.Grey => (sample[0], sample[0], sample[0]),
                ColourKind.Rgb => (sample[0], sample[1], sample[2]),
                _ => (Printed(sample[0], sample[3]), Printed(sample[1], sample[3]), Printed(sample[2], sample[3])),
            };
            (pixels[to], pixels[to + 1], pixels[to + 2], pixels[to + 3]) = (red, green, blue, 255);
        }
    }

    // As Pillow: light = (255 - black) (255 - ink) / 255, no profile applied.
    private static byte Printed(byte ink, byte black)
    {
        var paper = 255 - black;
        return (byte)Math.Clamp(paper - (((ink * paper) + 127) / 255), 0, 255);
    }
}
