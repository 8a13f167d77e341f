using CsCheck;
using JepaSharp.Data;
using JepaSharp.Pictures;
using SkiaSharp;

namespace JepaSharp.Tests.Runtime;

public sealed class PngFileTests
{
    [Fact]
    public void Png_ReadByAnotherDecoder_HoldsTheSamePixels()
        => Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Bool).SelectMany((width, height, smooth) =>
            Gen.Byte.Array[3 * width * height].Select(noise =>
            {
                if (smooth) for (var i = 0; i < noise.Length; i++) noise[i] = (byte)((i * 2) + (noise[i] & 7));
                return new RgbImage(width, height, noise);
            })).Sample(
            image =>
            {
                using var read = SKBitmap.Decode(image.ToPng());
                Assert.Equal((image.Width, image.Height), (read.Width, read.Height));
                for (var y = 0; y < image.Height; y++)
                {
                    for (var x = 0; x < image.Width; x++)
                    {
                        var pixel = read.GetPixel(x, y);
                        Assert.Equal(image.Get(x, y), new Rgb(pixel.Red, pixel.Green, pixel.Blue));
                    }
                }
            },
            iter: 100);
}
