using System.Buffers;
using JepaSharp.Data.Augmentation;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Augmentation;

/// <summary>Changes of many pixels at once against the same written out a pixel at a time.</summary>
public class PixelOracleTests
{
    [Fact]
    public void HueShift_OfEveryColour_IsTheFormula()
    {
        const int some = 1 << 17; // of 2^24 colours every 128th, the step being odd
        var colours = new byte[3 * some];
        for (var i = 0; i < some; i++)
        {
            var colour = i * 129 % (1 << 24);
            (colours[3 * i], colours[(3 * i) + 1], colours[(3 * i) + 2]) = ((byte)colour, (byte)(colour >> 8), (byte)(colour >> 16));
        }

        foreach (var turns in (double[])[-0.5, -0.1, 0, 0.004, 0.3, 0.5])
        {
            byte[] ours = [.. colours], slow = [.. colours];
            HueShift.Apply(ours, turns);
            SlowHue.Apply(slow, turns);
            Assert.True(ours.AsSpan().SequenceEqual(slow), $"a turn of {turns}");
        }
    }

    [Fact]
    public void Changes_OfImagesOfAnySize_AreTheFormulas()
    {
        for (var number = 0L; number < 120; number++)
        {
            var random = new RandomStream(seed: 5, RandomPurpose.Augmentation, number);
            var (width, height) = (1 + random.NextInt(70), 1 + random.NextInt(70));
            var pixels = new byte[3 * width * height];
            // Of few values, too, so that there is grey among them.
            var values = 1 + random.NextInt(number % 3 == 0 ? 3 : 256);
            for (var i = 0; i < pixels.Length; i++) pixels[i] = (byte)(random.NextInt(values) * (256 / values));
            var amount = random.NextDouble();
            Check("hue", p => HueShift.Apply(p, amount - 0.5), p => SlowHue.Apply(p, amount - 0.5));
            Check("blur", p => GaussianBlur.Apply(p, width, height, 4 * amount), p => SlowBlur.Apply(p, width, height, 4 * amount));
            Check("brightness", p => PixelOperations.Brightness(p, 2 * amount), p => SlowBlend.Apply(p, _ => 0, 2 * amount));
            Check("saturation", p => PixelOperations.Saturation(p, 2 * amount), p => SlowBlend.Apply(p, at => SlowBlend.Luma(p, at), 2 * amount));
            Check("contrast", p => PixelOperations.Contrast(p, 2 * amount), p =>
            {
                var mean = (int)(Enumerable.Range(0, p.Length / 3).Average(i => (double)SlowBlend.Luma(p, 3 * i)) + 0.5);
                SlowBlend.Apply(p, _ => mean, 2 * amount);
            });
            Check("grey", p => PixelOperations.Gray(p), p => SlowBlend.Apply(p, at => SlowBlend.Luma(p, at), 0));

            void Check(string name, Action<byte[]> fast, Action<byte[]> slow)
            {
                byte[] ours = [.. pixels], oracle = [.. pixels];
                fast(ours);
                slow(oracle);
                Assert.True(ours.AsSpan().SequenceEqual(oracle), $"{name} by {amount} of {width}x{height}, image {number}");
            }
        }
    }

    private static class SlowBlend
    {
        public static int Luma(byte[] pixels, int at) => ((19595 * pixels[at]) + (38470 * pixels[at + 1]) + (7471 * pixels[at + 2]) + 0x8000) >> 16;

        public static void Apply(byte[] pixels, Func<int, int> anchorAt, double factor)
        {
            var share = (float)factor;
            for (var at = 0; at < pixels.Length && share != 1; at += 3)
            {
                float anchor = anchorAt(at);
                for (var c = at; c < at + 3; c++) pixels[c] = (byte)Math.Clamp(anchor + (share * (pixels[c] - anchor)), 0, 255);
            }
        }
    }

    private static class SlowHue
    {
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

    private static class SlowBlur
    {
        private const int Passes = 3, Fraction = 24;

        public static void Apply(Span<byte> pixels, int width, int height, double deviation)
        {
            var radius = RadiusOf((float)deviation);
            if (radius == 0) return;
            var rented = ArrayPool<byte>.Shared.Rent(2 * Math.Max(width, height));
            for (var pass = 0; pass < Passes; pass++)
            {
                for (var y = 0; y < height; y++)
                {
                    for (var c = 0; c < 3; c++) Box(pixels, (3 * width * y) + c, 3, width, radius, rented);
                }
            }

            for (var pass = 0; pass < Passes; pass++)
            {
                for (var x = 0; x < 3 * width; x++) Box(pixels, x, 3 * width, height, radius, rented);
            }

            ArrayPool<byte>.Shared.Return(rented);
        }

        private static float RadiusOf(float deviation)
        {
            var variance = deviation * deviation / Passes;
            var length = (float)Math.Sqrt((12.0 * variance) + 1.0);
            var whole = (float)Math.Floor((length - 1.0) / 2.0);
            var fraction = ((2 * whole) + 1) * ((whole * (whole + 1)) - (3 * variance));
            return whole + (fraction / (6 * (variance - ((whole + 1) * (whole + 1)))));
        }

        private static void Box(Span<byte> pixels, int start, int stride, int count, float radius, Span<byte> line)
        {
            for (var i = 0; i < count; i++) line[i] = pixels[start + (i * stride)];
            var whole = (int)radius;
            var inner = (uint)((1 << Fraction) / ((radius * 2) + 1));
            var outer = ((1u << Fraction) - ((uint)((2 * whole) + 1) * inner)) / 2;
            var last = count - 1;
            uint sum = 0;
            for (var j = -whole; j <= whole; j++) sum += line[Math.Clamp(j, 0, last)];
            for (var i = 0; i < count; i++)
            {
                uint before = line[Math.Max(i - whole - 1, 0)], after = line[Math.Min(i + whole + 1, last)];
                pixels[start + (i * stride)] = (byte)(((inner * sum) + (outer * (before + after)) + (1u << (Fraction - 1))) >> Fraction);
                sum = sum + after - line[Math.Max(i - whole, 0)];
            }
        }
    }
}
