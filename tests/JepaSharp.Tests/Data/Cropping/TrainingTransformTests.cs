using JepaSharp.Data.Augmentation;
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
        var transform = new TrainingTransform
        {
            CropSize = 32,
            Augmentations = new Augmentations { Flip = 0.5, Blur = 0.5, Gray = 0.2, Solarize = 0.2, Jitter = ColorJitter.OfStrength(1) },
        };
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
            var withFlip = Apply(plain with { Augmentations = new Augmentations { Flip = 0.5 } }, seed);
            if (crop.AsSpan().SequenceEqual(withFlip)) continue;
            flipped++;
            PixelOperations.Mirror(withFlip, 32);
            Assert.Equal(crop, withFlip);
        }

        Assert.InRange(flipped, 75, 125);
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
