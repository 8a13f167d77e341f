using System.Numerics;

namespace JepaSharp.Data.Sources.Scenes.Rendering;

/// <summary>CLEVR's colours, and the way between linear light and bytes.</summary>
internal static class ScenePalette
{
    private const int Levels = 4096;

    private static readonly Vector3[] Colors =
    [
        FromBytes(87, 87, 87), FromBytes(173, 35, 35), FromBytes(42, 75, 215), FromBytes(29, 105, 20),
        FromBytes(129, 74, 25), FromBytes(129, 38, 192), FromBytes(41, 208, 208), FromBytes(255, 238, 51),
    ];

    private static readonly byte[] Encoded = [.. Enumerable.Range(0, Levels).Select(level => Encode(level / (Levels - 1.0)))];

    /// <summary>Linear red, green and blue of a colour's name.</summary>
    public static Vector3 Linear(SceneColor color) => Colors[(int)color];

    /// <summary>The sRGB byte of a linear value; 1 and more is white.</summary>
    public static byte ToByte(float linear) => Encoded[(int)(Math.Clamp(linear, 0, 1) * (Levels - 1) + 0.5f)];

    private static Vector3 FromBytes(byte red, byte green, byte blue) => new(Decode(red), Decode(green), Decode(blue));

    // sRGB transfer function (IEC 61966-2-1).
    private static float Decode(byte value)
    {
        var v = value / 255.0;
        return (float)(v <= 0.04045 ? v / 12.92 : Math.Pow((v + 0.055) / 1.055, 2.4));
    }

    private static byte Encode(double linear) =>
        (byte)Math.Round(255 * (linear <= 0.0031308 ? 12.92 * linear : (1.055 * Math.Pow(linear, 1 / 2.4)) - 0.055));
}
