using System.Globalization;
using System.Text.RegularExpressions;
using CsCheck;
using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Decoding;

namespace JepaSharp.Tests.Data.Cropping;

public partial class ResamplerTests
{
    [Theory]
    [MemberData(nameof(RecordedPhotos.All), MemberType = typeof(RecordedPhotos))]
    public void Sample_RecordedPhoto_GivesPillowsPixels(string recording, int photo)
    {
        using var recorded = new RecordedPhotos(recording);
        var image = recorded.Image($"{photo}.decoded");
        var cases = recorded.ImagesOf(photo).Where(name => name != "decoded")
            .Select(name => (Name: name, Geometry: Geometry(name, image, recorded.CropOf(photo)))).ToList();
        Assert.NotEmpty(cases);
        foreach (var (name, geometry) in cases)
        {
            var expected = recorded.Image($"{photo}.{name}").Pixels;
            var fromPixels = new byte[expected.Length];
            new CropSampler().Sample(image, geometry, fromPixels);
            var (_, largest) = RecordedPhotos.Difference(expected, fromPixels);
            Assert.True(largest == 0, $"{name}: largest difference {largest}");

            var fromFile = new byte[expected.Length];
            using var file = ImageDecoder.Open(recorded.PathOf(photo));
            new CropSampler().Sample(file, geometry, allowScaling: false, fromFile);
            var (mean, _) = RecordedPhotos.Difference(expected, fromFile);
            Assert.True(mean < 0.01, $"{name} from the file: mean difference {mean}");
        }
    }

    /// <summary>crop_resize_FILTER_SIZE, squash_FILTER_SIZE, eval_resizeSIDE_FILTER_centerSIZE.</summary>
    private static CropGeometry Geometry(string name, RgbImage image, PixelBox crop)
    {
        var filter = name.Contains("bicubic", StringComparison.Ordinal) ? ResampleFilter.Bicubic : ResampleFilter.Bilinear;
        int[] sizes = [.. Number().Matches(name).Select(m => int.Parse(m.Value, CultureInfo.InvariantCulture))];
        if (name.StartsWith("crop_resize_", StringComparison.Ordinal)) return CropGeometry.Of(crop, sizes[0], sizes[0], filter);
        if (name.StartsWith("squash_", StringComparison.Ordinal))
            return EvaluationTransform.Squash(sizes[0], filter).GeometryOf(image.Width, image.Height);
        Assert.StartsWith("eval_resize", name, StringComparison.Ordinal);
        var geometry = EvaluationTransform.CenterCrop(sizes[1], filter).GeometryOf(image.Width, image.Height);
        Assert.Equal(sizes[0], Math.Min(geometry.Width, geometry.Height));
        return geometry;
    }

    [Fact]
    public void Sample_AnyBoxSizeAndFilter_AgreesWithTheTextbook() =>
        (from width in Gen.Int[1, 70]
         from height in Gen.Int[1, 70]
         from left in Gen.Int[0, width - 1]
         from top in Gen.Int[0, height - 1]
         from w in Gen.Int[1, width - left]
         from h in Gen.Int[1, height - top]
         from outputWidth in Gen.Int[1, 60]
         from outputHeight in Gen.Int[1, 60]
         from filter in Gen.Enum<ResampleFilter>()
         from seed in Gen.ULong
         select (width, height, new PixelBox(left, top, w, h), outputWidth, outputHeight, filter, seed)).Sample(
            (width, height, box, outputWidth, outputHeight, filter, seed) =>
            {
                var image = EncodedImages.Noise(width, height, seed);
                var fast = new byte[3 * outputWidth * outputHeight];
                new CropSampler().Sample(image, CropGeometry.Of(box, outputWidth, outputHeight, filter), fast);
                var slow = TextbookResize.Of(image, box, outputWidth, outputHeight, filter);
                Assert.InRange(RecordedPhotos.Difference(slow, fast).Largest, 0, 1);
            },
            iter: 300);

    [Fact]
    public void Sample_Window_IsThatPartOfTheWhole()
    {
        var image = EncodedImages.Noise(90, 70, 3);
        var whole = new byte[3 * 50 * 40];
        var box = new PixelBox(3, 4, 80, 60);
        var sampler = new CropSampler();
        sampler.Sample(image, CropGeometry.Of(box, 50, 40, ResampleFilter.Bicubic), whole);
        var window = new byte[3 * 20 * 10];
        sampler.Sample(image, new CropGeometry(box, 50, 40, new PixelBox(13, 9, 20, 10), ResampleFilter.Bicubic), window);
        for (var y = 0; y < 10; y++)
            Assert.Equal(whole.AsSpan(3 * (((9 + y) * 50) + 13), 60), window.AsSpan(3 * 20 * y, 60));
    }

    [Fact]
    public void Sample_ReducedJpeg_LooksLikeTheFullDecode()
    {
        var bytes = EncodedImages.Jpeg(EncodedImages.Picture(801, 603), 95);
        var geometry = CropGeometry.Of(new PixelBox(33, 17, 701, 555), 64, 64, ResampleFilter.Bilinear);
        byte[] exact = new byte[3 * 64 * 64], reduced = new byte[3 * 64 * 64];
        var sampler = new CropSampler();
        using (var image = ImageDecoder.Open(bytes, "a")) sampler.Sample(image, geometry, allowScaling: false, exact);
        using (var image = ImageDecoder.Open(bytes, "a")) sampler.Sample(image, geometry, allowScaling: true, reduced);
        var (mean, largest) = RecordedPhotos.Difference(exact, reduced);
        Assert.True(mean is > 0 and < 1 && largest < 8, $"mean {mean}, largest {largest}");
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();
}
