namespace JepaSharp.Data.Decoding;

/// <summary>What a decoder refuses by an image's header, before it spends memory or time.</summary>
/// <param name="MaxPixels">Most pixels of an image; the default, 178,956,970, is where Pillow refuses too.</param>
/// <param name="MaxFileBytes">Most bytes of a file.</param>
public sealed record DecodingLimits(long MaxPixels = 178_956_970, long MaxFileBytes = 1 << 30)
{
    // Four bytes each in one array.
    internal const long MostThatFit = 500_000_000;

    /// <summary>The defaults.</summary>
    public static DecodingLimits Default { get; } = new();
}
