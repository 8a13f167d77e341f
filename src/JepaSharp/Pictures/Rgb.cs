namespace JepaSharp.Pictures;

/// <summary>A colour, 8 bits a channel.</summary>
public readonly record struct Rgb(byte Red, byte Green, byte Blue)
{
    /// <summary>The colour of 0xRRGGBB.</summary>
    public static Rgb Of(int hex) => new((byte)(hex >> 16), (byte)(hex >> 8), (byte)hex);
}
