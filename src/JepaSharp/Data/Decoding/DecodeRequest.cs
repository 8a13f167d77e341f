namespace JepaSharp.Data.Decoding;

/// <summary>The part of an image that a crop needs.</summary>
/// <param name="Box">Pixels needed, in the full-size image.</param>
/// <param name="OutputWidth">W in pixels that the box will be resized to.</param>
/// <param name="OutputHeight">H in pixels that the box will be resized to.</param>
/// <param name="AllowScaling">
/// Whether the decoder may halve the image once or more often (JPEG does so almost for free) as long as the box keeps at least twice the
/// output's sides, so that the antialiased resize after it still averages at least 2x2 pixels. Off, the pixels are exact.
/// </param>
public readonly record struct DecodeRequest(PixelBox Box, int OutputWidth, int OutputHeight, bool AllowScaling)
{
    /// <summary>The most that a JPEG can be divided by.</summary>
    internal const int MostReduction = 8;

    private const int Oversampling = 2;

    /// <summary>Divide by at least this, even below the output's size, where the image would not fit into memory otherwise.</summary>
    internal int LeastReduction { get; init; }

    /// <summary>The largest of 1, 2, 4 and 8 by which the image may be divided.</summary>
    public int Reduction
    {
        get
        {
            if (!AllowScaling) return Math.Max(1, LeastReduction);
            var reduction = MostReduction;
            while (reduction > 1 && reduction > LeastReduction && (Box.Width < (long)Oversampling * reduction * OutputWidth || Box.Height < (long)Oversampling * reduction * OutputHeight))
                reduction /= 2;
            return reduction;
        }
    }
}
