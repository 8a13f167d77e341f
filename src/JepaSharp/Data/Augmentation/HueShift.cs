using System.Runtime.Intrinsics;

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
    private const int Values = 256, Sectors = 6;

    // φ and i of every hue, s of every saturation.
    private static readonly float[] Within = new float[Values], Shares = new float[Values];
    private static readonly byte[] SectorOf = new byte[Values];

    // Where red, green and blue of every sector lie among the bytes V, p, q, t: by how many bits to shift.
    private static readonly byte[] RedAt = [0, 16, 8, 8, 24, 0], GreenAt = [24, 0, 0, 16, 8, 8], BlueAt = [8, 8, 24, 0, 0, 16];

    static HueShift()
    {
        for (var i = 0; i < Values; i++)
        {
            var sector = (int)Math.Floor(i * 6.0 / 255.0);
            (SectorOf[i], Within[i], Shares[i]) = ((byte)(sector % Sectors), (float)((i * 6.0 / 255.0) - sector), (float)(i / 255.0));
        }
    }

    /// <summary>Shifts in place.</summary>
    /// <param name="pixels">uint8 [H, W, 3].</param>
    /// <param name="turns">In [-0.5, 0.5].</param>
    public static void Apply(Span<byte> pixels, double turns)
    {
        var shift = (byte)(int)(turns * 255);
        var done = Fours(pixels, shift);
        for (var i = done + 2; i < pixels.Length; i += 3)
        {
            int r = pixels[i - 2], g = pixels[i - 1], b = pixels[i];
            int most = Math.Max(r, Math.Max(g, b)), least = Math.Min(r, Math.Min(g, b));
            if (most == least) continue; // grey: no saturation, so that no hue matters
            float range = most - least;
            var saturation = (int)(range / most * 255.0);
            if (saturation == 0)
            {
                pixels.Slice(i - 2, 3).Fill((byte)most);
                continue;
            }

            var hue = (byte)(HueOf(r, g, b, most, range) + shift);
            var (within, share, sector) = (Within[hue], Shares[saturation], SectorOf[hue]);
            var p = Rounded(most * (1.0 - share));
            var q = Rounded(most * (1.0 - (share * within)));
            var t = Rounded(most * (1.0 - (share * (1.0 - within))));
            var four = (uint)(most | (p << 8) | (q << 16) | (t << 24));
            pixels[i - 2] = (byte)(four >> RedAt[sector]);
            pixels[i - 1] = (byte)(four >> GreenAt[sector]);
            pixels[i] = (byte)(four >> BlueAt[sector]);
        }
    }

    /// <summary>As many pixels as there are fours with some more behind them. What is rounded to 32 bits alone is rounded here.</summary>
    /// <returns>Bytes that are done.</returns>
    private static int Fours(Span<byte> pixels, byte shift)
    {
        var (one, whole, sectors, half) = (Vector256.Create(1.0), Vector256.Create(255.0), Vector256.Create(6.0), Vector256.Create(0.5));
        var (all, turned) = (Vector256.Create(256.0), Vector256.Create((double)shift));
        var end = FourPixels.Whole(pixels.Length);
        for (var at = 0; at < end; at += FourPixels.Bytes)
        {
            var (r, g, b) = FourPixels.Of(pixels[at..]);
            var most = Vector128.Max(r, Vector128.Max(g, b));
            var range = most - Vector128.Min(r, Vector128.Min(g, b));
            var (value, divisor) = (Wide(Vector128.ConvertToSingle(most)), Vector128.ConvertToSingle(Vector128.Max(range, Vector128<int>.One)));
            var (red, green, blue) = (Part(most - r, divisor), Part(most - g, divisor), Part(most - b, divisor));
            var sixths = Vector128.ConditionalSelect(
                Vector128.Equals(r, most).AsSingle(), blue - green,
                Vector128.ConditionalSelect(
                    Vector128.Equals(g, most).AsSingle(), Single(Vector256.Create(2.0) + Wide(red) - Wide(blue)),
                    Single(Vector256.Create(4.0) + Wide(green) - Wide(red))));
            var round = (Wide(sixths) / sectors) + one;
            round -= Vector256.GreaterThanOrEqual(round, one) & one;
            var hue = Vector256.Floor(Wide(Single(round)) * whole) + turned;
            hue -= Vector256.GreaterThanOrEqual(hue, all) & all;
            // Of grey the range, and so the saturation, is 0, and p, q and t are the value.
            var saturation = Vector256.Floor(Wide(Part(range, Vector128.ConvertToSingle(Vector128.Max(most, Vector128<int>.One)))) * whole);
            var place = hue * sectors / whole;
            var sector = Vector256.Floor(place);
            var (within, share) = (Wide(Single(place - sector)), Wide(Single(saturation / whole)));
            sector -= Vector256.Equals(sector, sectors) & sectors;
            var p = Near(value * (one - share));
            var q = Near(value * (one - Wide(Single(share * within))));
            var t = Near(value * (one - (share * (one - within))));
            Vector256<double> Is(double number) => Vector256.Equals(sector, Vector256.Create(number));
            var (first, second, third, fourth, fifth, sixth) = (Is(0), Is(1), Is(2), Is(3), Is(4), Is(5));
            var newRed = Chosen(first | sixth, value, Chosen(second, q, Chosen(fifth, t, p)));
            var newGreen = Chosen(second | third, value, Chosen(first, t, Chosen(fourth, q, p)));
            var newBlue = Chosen(fourth | fifth, value, Chosen(third, t, Chosen(sixth, q, p)));
            FourPixels.Write(Whole(newRed), Whole(newGreen), Whole(newBlue), pixels[at..]);
        }

        return end;

        static Vector128<int> Whole(Vector256<double> number) => Vector128.ConvertToInt32(Single(number));

        static Vector128<float> Part(Vector128<int> part, Vector128<float> of) => Vector128.ConvertToSingle(part) / of;

        static Vector256<double> Chosen(Vector256<double> mask, Vector256<double> yes, Vector256<double> otherwise) =>
            Vector256.ConditionalSelect(mask, yes, otherwise);

        Vector256<double> Near(Vector256<double> x)
        {
            var below = Vector256.Floor(x);
            return below + (Vector256.GreaterThanOrEqual(x - below, half) & one);
        }
    }

    private static Vector256<double> Wide(Vector128<float> x)
    {
        var (low, high) = Vector128.Widen(x);
        return Vector256.Create(low, high);
    }

    private static Vector128<float> Single(Vector256<double> x) => Vector128.Narrow(x.GetLower(), x.GetUpper());

    private static int HueOf(int r, int g, int b, int most, float range)
    {
        float red = (most - r) / range, green = (most - g) / range, blue = (most - b) / range;
        var sixths = r == most ? blue - green : g == most ? (float)(2.0 + red - blue) : (float)(4.0 + green - red);
        // fmod of what lies between 5/6 and 11/6.
        var turns = (sixths / 6.0) + 1.0;
        return (int)((float)(turns >= 1.0 ? turns - 1.0 : turns) * 255.0);
    }

    /// <summary>To the nearest, halves up; of numbers from 0 to 255.</summary>
    private static int Rounded(double value)
    {
        var whole = (int)value;
        return value - whole >= 0.5 ? whole + 1 : whole;
    }
}
