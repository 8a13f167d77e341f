namespace JepaSharp.Data.Augmentation;

/// <summary>Turns every colour round the grey axis of the HSV cone, with hue, saturation and value rounded to 8 bits on the way: Pillow's and
/// torchvision's, to the byte.</summary>
/// <remarks>
/// V = max; S = trunc(255 (max - min) / max); H = trunc(255 fmod(h / 6 + 1, 1)), where h = b' - g' if red is the largest, else 2 + r' - b' if green,
/// else 4 + g' - r', and r' = (max - R) / (max - min) and so on; S = H = 0 where max = min. The low byte of trunc(255 turns) is added to H modulo
/// 256. Back: i = floor(6 H / 255), φ = 6 H / 255 - i, s = S / 255, p = round(V (1 - s)), q = round(V (1 - s φ)), t = round(V (1 - s (1 - φ))).
/// </remarks>
public static class HueShift
{
    /// <summary>Shifts in place.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="turns">In [-0.5, 0.5].</param>
    public static void Apply(Span<byte> pixels, double turns)
    {
        var shift = (byte)(int)(turns * 255);
        for (var i = 0; i < pixels.Length; i += 3)
        {
            var pixel = pixels.Slice(i, 3);
            var (hue, saturation, value) = ToHsv(pixel[0], pixel[1], pixel[2]);
            (pixel[0], pixel[1], pixel[2]) = ToRgb((byte)(hue + shift), saturation, value);
        }
    }

    private static (byte Hue, byte Saturation, byte Value) ToHsv(byte r, byte g, byte b)
    {
        var (most, least) = (Math.Max(r, Math.Max(g, b)), Math.Min(r, Math.Min(g, b)));
        if (most == least) return (0, 0, most);
        float range = most - least;
        float red = (most - r) / range, green = (most - g) / range, blue = (most - b) / range;
        var sixths = r == most ? blue - green : g == most ? (float)(2.0 + red - blue) : (float)(4.0 + green - red);
        var hue = (float)(((sixths / 6.0) + 1.0) % 1.0);
        return ((byte)(hue * 255.0), (byte)(range / most * 255.0), most);
    }

    private static (byte Red, byte Green, byte Blue) ToRgb(byte hue, byte saturation, byte value)
    {
        if (saturation == 0) return (value, value, value);
        var sector = (int)Math.Floor(hue * 6.0 / 255.0);
        var within = (float)((hue * 6.0 / 255.0) - sector);
        var share = (float)(saturation / 255.0);
        var p = Rounded(value * (1.0 - share));
        var q = Rounded(value * (1.0 - (share * within)));
        var t = Rounded(value * (1.0 - (share * (1.0 - within))));
        return (sector % 6) switch
        {
            0 => (value, t, p),
            1 => (q, value, p),
            2 => (p, value, t),
            3 => (p, q, value),
            4 => (t, p, value),
            _ => (value, p, q),
        };
    }

    private static byte Rounded(double value) => (byte)Math.Clamp(Math.Round(value, MidpointRounding.AwayFromZero), 0, 255);
}
