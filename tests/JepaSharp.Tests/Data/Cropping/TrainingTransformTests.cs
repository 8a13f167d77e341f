using JepaSharp.Data.Cropping;
using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Cropping;

public class TrainingTransformTests
{
    private static readonly byte[] File = EncodedImages.Png(EncodedImages.Picture(60, 50));

    [Fact]
    public void Apply_SameStream_GivesTheSamePixels()
    {
        var transform = new TrainingTransform { CropSize = 32, UseHorizontalFlip = true, UseGaussianBlur = true, Color = new ColorDistortion(1) };
        for (var seed = 0UL; seed < 20; seed++) Assert.Equal(Apply(transform, seed), Apply(transform, seed));
        Assert.NotEqual(Apply(transform, 1), Apply(transform, 2));
    }

    [Fact]
    public void Apply_HorizontalFlip_MirrorsTheSameCropHalfTheTime()
    {
        var plain = new TrainingTransform { CropSize = 32 };
        var flipped = 0;
        for (var seed = 0UL; seed < 200; seed++)
        {
            var crop = Apply(plain, seed);
            var withFlip = Apply(plain with { UseHorizontalFlip = true }, seed);
            if (crop.AsSpan().SequenceEqual(withFlip)) continue;
            flipped++;
            TrainingTransform.Mirror(withFlip, 32);
            Assert.Equal(crop, withFlip);
        }

        Assert.InRange(flipped, 75, 125);
    }

    [Fact]
    public void Blend_FactorOneChangesNothing_ZeroGivesTheAnchor()
    {
        var picture = EncodedImages.Picture(8, 8).Pixels;
        for (var anchor = 0; anchor < 3; anchor++)
        {
            var same = picture.ToArray();
            ColorDistortion.Blend(same, anchor, 1);
            Assert.Equal(picture, same);
        }

        var black = picture.ToArray();
        ColorDistortion.Blend(black, 0, 0);
        Assert.All(black, v => Assert.Equal(0, v));
        byte[] red = [255, 0, 0];
        ColorDistortion.Blend(red, 2, 0);
        Assert.Equal<byte>([76, 76, 76], red);
    }

    [Fact]
    public void ShiftHue_ThirdOfATurn_TakesRedToGreenToBlue()
    {
        byte[] pixel = [200, 10, 10];
        ColorDistortion.ShiftHue(pixel, 1.0 / 3);
        Assert.Equal<byte>([10, 200, 10], pixel);
        ColorDistortion.ShiftHue(pixel, 1.0 / 3);
        Assert.Equal<byte>([10, 10, 200], pixel);
        ColorDistortion.ShiftHue(pixel, -2.0 / 3);
        Assert.Equal<byte>([200, 10, 10], pixel);
    }

    [Fact]
    public void Blur_Impulse_SpreadsWithTheAskedDeviation()
    {
        var pixels = new byte[3 * 21 * 21];
        for (var c = 0; c < 3; c++) pixels[(3 * ((10 * 21) + 10)) + c] = 255;
        GaussianBlur.Apply(pixels, 21, 21, 1.0);
        Assert.Equal(255 / (2 * Math.PI), pixels[3 * ((10 * 21) + 10)], 2.0);
        Assert.Equal(255 / (2 * Math.PI) * Math.Exp(-0.5), pixels[3 * ((10 * 21) + 11)], 2.0);
        Assert.Equal(pixels[3 * ((9 * 21) + 10)], pixels[3 * ((10 * 21) + 11)]);

        var flat = Enumerable.Repeat((byte)93, 3 * 9 * 7).ToArray();
        GaussianBlur.Apply(flat, 9, 7, 2.0);
        Assert.All(flat, v => Assert.Equal(93, v));
    }

    private static byte[] Apply(TrainingTransform transform, ulong seed)
    {
        var random = new RandomStream(seed, RandomPurpose.Augmentation);
        var output = new byte[3 * transform.CropSize * transform.CropSize];
        using var image = ImageDecoder.Open(File, "picture");
        transform.Apply(image, ref random, new CropSampler(), output);
        return output;
    }
}
