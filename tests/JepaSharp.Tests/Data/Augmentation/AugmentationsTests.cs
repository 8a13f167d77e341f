using JepaSharp.Data.Augmentation;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Augmentation;

/// <summary>What is done to a crop at random: how often, and in which order.</summary>
public sealed class AugmentationsTests
{
    [Fact]
    public void Changes_OverManyStreams_HappenAsOftenAsTheirChance()
    {
        const int Streams = 2000;
        byte[] pixels = [200, 30, 60, 10, 220, 90, 70, 80, 190, 240, 250, 15];
        foreach (var (changes, chance) in ((Augmentations, double)[])[
            (new() { Flip = 0.5 }, 0.5), (new() { Gray = 0.2 }, 0.2), (new() { Solarize = 0.3 }, 0.3),
            (new() { Blur = 0.4, BlurDeviation = new(1, 2) }, 0.4),
            (new() { Jitter = new ColorJitter(0.4, 0.4, 0.2, 0.1) }, 0.8), (new(), 0)])
        {
            var changed = 0;
            for (var seed = 0UL; seed < Streams; seed++)
            {
                var random = new RandomStream(seed, RandomPurpose.Augmentation);
                var copy = pixels.ToArray();
                changes.Apply(copy, 2, ref random);
                if (!copy.AsSpan().SequenceEqual(pixels)) changed++;
            }

            Assert.Equal(chance, (double)changed / Streams, 0.04);
        }
    }

    [Fact]
    public void Order_OfTheChanges_IsMirrorColourGreyBlurSolarise()
    {
        // Grey of a dark and a bright pixel; solarised afterwards, the bright one is dark: the other way round, both would be bright.
        byte[] pixels = [0, 0, 0, 255, 255, 0, 0, 0, 0, 255, 255, 0];
        var random = new RandomStream(1, RandomPurpose.Augmentation);
        new Augmentations { Flip = 1, Gray = 1, Solarize = 1 }.Apply(pixels, 2, ref random);
        Assert.Equal<byte>([29, 29, 29, 0, 0, 0, 29, 29, 29, 0, 0, 0], pixels);
    }

    [Fact]
    public void Jitter_OfAStrength_StaysWithinItsRanges()
    {
        Assert.Equal(new ColorJitter(0.4, 0.4, 0.4, 0.1), ColorJitter.OfStrength(0.5));
        for (var seed = 0UL; seed < 200; seed++)
        {
            var random = new RandomStream(seed, RandomPurpose.Augmentation);
            byte[] grey = [100, 100, 100];
            new ColorJitter(0.3, 0, 0, 0.5).Apply(grey, ref random);
            Assert.Equal(grey[0], grey[2]); // a grey has no hue
            Assert.InRange(grey[0], 69, 131);
        }
    }

    [Fact]
    public void Blend_FactorOneChangesNothing_ZeroGivesTheAnchor()
    {
        var picture = EncodedImages.Picture(8, 8).Pixels;
        foreach (var blend in (Blend[])[PixelOperations.Brightness, PixelOperations.Contrast, PixelOperations.Saturation])
        {
            var same = picture.ToArray();
            blend(same, 1);
            Assert.Equal(picture, same);
        }

        var black = picture.ToArray();
        PixelOperations.Brightness(black, 0);
        Assert.All(black, v => Assert.Equal(0, v));
        byte[] red = [255, 0, 0];
        PixelOperations.Saturation(red, 0);
        Assert.Equal<byte>([76, 76, 76], red);
    }

    [Fact]
    public void HueShift_ThirdOfATurn_TakesRedToGreenToBlue()
    {
        byte[] pixel = [200, 0, 0];
        HueShift.Apply(pixel, 1.0 / 3);
        Assert.Equal<byte>([0, 200, 0], pixel);
        HueShift.Apply(pixel, 1.0 / 3);
        Assert.Equal<byte>([0, 0, 200], pixel);
    }

    [Fact]
    public void Blur_OfAnImpulse_SpreadsWithTheAskedDeviation()
    {
        const int Side = 41, Middle = Side / 2;
        var pixels = new byte[3 * Side * Side];
        for (var c = 0; c < 3; c++)
        {
            for (var dy = -5; dy <= 5; dy++)
                for (var dx = -5; dx <= 5; dx++) pixels[(3 * (((Middle + dy) * Side) + Middle + dx)) + c] = 255;
        }

        double Variance() => Enumerable.Range(0, Side).Sum(x => Math.Pow(x - Middle, 2) * pixels[3 * ((Middle * Side) + x)])
            / Enumerable.Range(0, Side).Sum(x => (double)pixels[3 * ((Middle * Side) + x)]);
        var before = Variance();
        GaussianBlur.Apply(pixels, Side, Side, 2.0);
        Assert.Equal(4, Variance() - before, 0.3);

        var flat = Enumerable.Repeat((byte)93, 3 * 9 * 7).ToArray();
        GaussianBlur.Apply(flat, 9, 7, 2.0);
        Assert.All(flat, v => Assert.Equal(93, v));
    }

    private delegate void Blend(Span<byte> pixels, double factor);
}
