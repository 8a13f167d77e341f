using JepaSharp.Data;
using JepaSharp.Data.Decoding;
using NetVips;

namespace JepaSharp.Tests.Data.Decoding;

public class ImageDecoderTests
{
    [Theory]
    [MemberData(nameof(RecordedPhotos.All), MemberType = typeof(RecordedPhotos))]
    public void Decode_RecordedPhoto_GivesPillowsPixels(string recording, int photo)
    {
        using var recorded = new RecordedPhotos(recording);
        using var image = ImageDecoder.Open(recorded.PathOf(photo));
        var expected = recorded.Image($"{photo}.decoded");
        var (mean, largest) = RecordedPhotos.Difference(expected.Pixels, image.Decode().Pixels);
        Assert.True(mean < 0.01 && largest <= 2, $"mean {mean}, largest {largest}");
    }

    [Theory]
    [InlineData("png", "png")]
    [InlineData("webp", "webp")]
    [InlineData("bmp", "bmp")]
    [InlineData("jpeg", "jpeg")]
    [InlineData("progressive", "jpeg")]
    [InlineData("gif", "gif")]
    [InlineData("tiff", "tiff")]
    [InlineData("tiff-lzw", "tiff")]
    [InlineData("png-interlaced", "png")]
    [InlineData("png-palette", "png")]
    public void Decode_EveryFormat_GivesThePicture(string encoding, string format)
    {
        var picture = EncodedImages.Picture(61, 43);
        var bytes = encoding switch
        {
            "png" => EncodedImages.Png(picture),
            "webp" => EncodedImages.WebP(picture),
            "bmp" => EncodedImages.Bmp(picture),
            "jpeg" => EncodedImages.Jpeg(picture, 100),
            "progressive" => EncodedImages.ByVips(picture, ".jpg[Q=100,interlace=true,subsample_mode=off]"),
            "gif" => EncodedImages.ByVips(picture, ".gif"),
            "tiff" => EncodedImages.ByVips(picture, ".tif"),
            "tiff-lzw" => EncodedImages.ByVips(picture, ".tif[compression=lzw]"),
            "png-interlaced" => EncodedImages.ByVips(picture, ".png[interlace=true]"),
            _ => EncodedImages.ByVips(picture, ".png[palette=true]"),
        };
        using var image = ImageDecoder.Open(bytes, "picture");
        Assert.Equal((61, 43, format), (image.Width, image.Height, image.Format));
        var (mean, _) = RecordedPhotos.Difference(picture.Pixels, image.Decode().Pixels);
        var isLossless = encoding is "png" or "bmp" or "tiff" or "tiff-lzw" or "png-interlaced";
        Assert.InRange(mean, 0, isLossless ? 0 : encoding is "gif" or "png-palette" ? 20 : 6);
    }

    [Fact]
    public void Decode_Alpha_IsDroppedNotBlended()
    {
        var picture = EncodedImages.Picture(20, 10);
        foreach (var suffix in (string[])[".png", ".tif"])
        {
            using var image = ImageDecoder.Open(EncodedImages.ByVips(picture, suffix, i => i.Bandjoin(i.ExtractBand(0))), "alpha");
            Assert.Equal(picture.Pixels[3..], image.Decode().Pixels[3..]);
        }
    }

    [Theory]
    [InlineData(".png")]
    [InlineData(".tif")]
    public void Decode_SixteenBits_KeepsTheHighByte(string suffix)
    {
        var picture = EncodedImages.Picture(20, 10);
        var bytes =
            EncodedImages.ByVips(picture, suffix, i => (i * 256 + 77).Cast(Enums.BandFormat.Ushort).Copy(interpretation: Enums.Interpretation.Rgb16));
        using var image = ImageDecoder.Open(bytes, "deep");
        var (_, largest) = RecordedPhotos.Difference(picture.Pixels, image.Decode().Pixels);
        Assert.InRange(largest, 0, 1);
    }

    [Theory]
    [InlineData(".jpg[Q=100]")]
    [InlineData(".png")]
    [InlineData(".tif")]
    public void Decode_Grey_IsRepeated(string suffix)
    {
        var bytes = EncodedImages.ByVips(EncodedImages.Picture(30, 20), suffix, i => i.ExtractBand(0).Copy(interpretation: Enums.Interpretation.Bw));
        using var image = ImageDecoder.Open(bytes, "grey");
        var pixels = image.Decode().Pixels;
        for (var i = 0; i < pixels.Length; i += 3) Assert.True(pixels[i] == pixels[i + 1] && pixels[i] == pixels[i + 2]);
        Assert.InRange(pixels[3 * 29], 250, 255);
    }

    [Fact]
    public void Decode_CmykJpeg_GivesItsColours()
    {
        var bytes = EncodedImages.ByVips(
            EncodedImages.Picture(32, 32),
            ".jpg[Q=100]",
            i => (255 - i).Bandjoin(0).Cast(Enums.BandFormat.Uchar).Copy(interpretation: Enums.Interpretation.Cmyk));
        using var image = ImageDecoder.Open(bytes, "cmyk");
        var (mean, _) = RecordedPhotos.Difference(EncodedImages.Picture(32, 32).Pixels, image.Decode().Pixels);
        Assert.InRange(mean, 0, 6);
    }

    [Theory]
    [InlineData("jpeg")]
    [InlineData("png")]
    [InlineData("progressive")]
    public void DecodeRegion_PartOfAnImage_GivesThePixelsOfAFullDecode(string encoding)
    {
        var picture = EncodedImages.Picture(203, 157);
        var bytes = encoding switch
        {
            "png" => EncodedImages.Png(picture),
            "jpeg" => EncodedImages.Jpeg(picture),
            _ => EncodedImages.ByVips(picture, ".jpg[interlace=true]"),
        };
        using var whole = ImageDecoder.Open(bytes, "picture");
        var full = whole.Decode();
        var buffer = new PixelBuffer();
        foreach (var box in (PixelBox[])[new(0, 0, 203, 157), new(64, 32, 64, 64), new(17, 5, 99, 101), new(202, 156, 1, 1), new(0, 100, 16, 57), new(
            16, 16, 16, 16)])
        {
            using var image = ImageDecoder.Open(bytes, "picture");
            var region = image.DecodeRegion(new DecodeRequest(box, 8, 8, AllowScaling: false), buffer);
            AssertHolds(full, box, region);
        }
    }

    [Fact]
    public void DecodeRegion_MuchLargerThanTheOutput_IsReducedButNotBelowTwiceIt()
    {
        var picture = EncodedImages.Picture(640, 480);
        using var image = ImageDecoder.Open(EncodedImages.Jpeg(picture), "picture");
        var region = image.DecodeRegion(new DecodeRequest(new PixelBox(101, 60, 400, 401), 50, 50, AllowScaling: true), new PixelBuffer());
        Assert.Equal(4, region.Reduction);
        Assert.True(
            region.Box.Left <= 25 && region.Box.Top <= 15 && region.Box.Left + region.Box.Width >= 126 && region.Box.Top + region.Box.Height >= 116);
        Assert.Equal(1, new DecodeRequest(new PixelBox(0, 0, 400, 199), 50, 50, AllowScaling: true).Reduction);
        Assert.Equal(1, new DecodeRequest(new PixelBox(0, 0, 4000, 4000), 50, 50, AllowScaling: false).Reduction);
    }

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(2, 1, 0)]
    [InlineData(3, 1, 1)]
    [InlineData(4, 0, 1)]
    [InlineData(5, 0, 0)]
    [InlineData(6, 0, 1)]
    [InlineData(7, 1, 1)]
    [InlineData(8, 1, 0)]
    public void Decode_ExifOrientation_IsApplied(int orientation, int cornerColumn, int cornerRow)
    {
        // Red grows to the right of the stored image, green downwards; the shown corner must be the stored corner that EXIF 2.3 names.
        var picture = EncodedImages.Picture(96, 64);
        var bytes = EncodedImages.WithOrientation(EncodedImages.Jpeg(picture, 100), orientation);
        using var image = ImageDecoder.Open(bytes, "turned");
        Assert.Equal(orientation >= 5 ? (64, 96) : (96, 64), (image.Width, image.Height));
        var shown = image.Decode();
        Assert.InRange(shown.Pixels[0], cornerColumn == 0 ? 0 : 225, cornerColumn == 0 ? 30 : 255);
        Assert.InRange(shown.Pixels[1], cornerRow == 0 ? 0 : 225, cornerRow == 0 ? 30 : 255);
        // Along the shown top row it is the stored rows that pass by where the axes change places.
        var (redAhead, greenAhead) = (Math.Abs(shown.Row(0)[^3] - shown.Pixels[0]), Math.Abs(shown.Row(0)[^2] - shown.Pixels[1]));
        Assert.True(orientation >= 5 ? greenAhead > 150 && redAhead < 60 : redAhead > 150 && greenAhead < 60);

        using var again = ImageDecoder.Open(bytes, "turned");
        var box = new PixelBox(9, 21, 40, 30);
        AssertHolds(shown, box, again.DecodeRegion(new DecodeRequest(box, 10, 10, AllowScaling: false), new PixelBuffer()));
    }

    private static void AssertHolds(RgbImage full, PixelBox box, PixelRegion region)
    {
        Assert.Equal(1, region.Reduction);
        var found = region.ToImage();
        for (var y = 0; y < box.Height; y++)
        {
            var expected = full.Row(box.Top + y).Slice(3 * box.Left, 3 * box.Width);
            Assert.Equal(expected, found.Row(box.Top + y - region.Box.Top).Slice(3 * (box.Left - region.Box.Left), 3 * box.Width));
        }
    }
}
