using System.Text;
using JepaSharp.Data;
using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;

namespace JepaSharp.Tests.Data.Decoding;

public class BrokenImageTests
{
    [Fact]
    public void Open_MissingFile_SaysSo() =>
        Assert.Contains("no longer there", Refusal(() => ImageDecoder.Open("/nowhere/missing.jpg")), StringComparison.Ordinal);

    [Fact]
    public void Open_EmptyFile_SaysSo() => Assert.Contains("empty", Refusal(() => ImageDecoder.Open([], "a.jpg")), StringComparison.Ordinal);

    [Fact]
    public void Open_TextNamedJpg_SaysThatItIsNoImage() =>
        Assert.Contains(
            "no JPEG", Refusal(() => ImageDecoder.Open(Encoding.UTF8.GetBytes("not an image at all"), "a.jpg")), StringComparison.Ordinal);

    [Fact]
    public void Open_RandomBytesBehindAKnownSignature_IsRefused()
    {
        byte[][] signatures = [[0xff, 0xd8, 0xff, 0xe0], [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10], "GIF89a"u8.ToArray(),
            "BM"u8.ToArray(), [(byte)'I', (byte)'I', 42, 0]];
        foreach (var signature in signatures)
        {
            var bytes = signature.Concat(EncodedImages.Noise(40, 10, 5).Pixels).ToArray();
            Refusal(() => ImageDecoder.Open(bytes, "noise"));
        }
    }

    [Theory]
    [InlineData("jpeg")]
    [InlineData("png")]
    [InlineData("webp")]
    [InlineData("bmp")]
    [InlineData("gif")]
    [InlineData("tiff")]
    [InlineData("progressive")]
    public void Decode_CutShortAnywhere_IsRefusedOrWhole(string encoding)
    {
        var picture = EncodedImages.Noise(64, 48, 1);
        var bytes = encoding switch
        {
            "jpeg" => EncodedImages.Jpeg(picture),
            "png" => EncodedImages.Png(picture),
            "webp" => EncodedImages.WebP(picture),
            "bmp" => EncodedImages.Bmp(picture),
            "gif" => EncodedImages.ByVips(picture, ".gif"),
            "tiff" => EncodedImages.ByVips(picture, ".tif"),
            _ => EncodedImages.ByVips(picture, ".jpg[interlace=true]"),
        };
        foreach (var share in (double[])[0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9])
            Refusal(() => ImageDecoder.Open(bytes[..(int)(bytes.Length * share)], "cut." + encoding));
    }

    [Fact]
    public void DecodeRegion_CutShortBelowTheCrop_IsRefusedOnlyWhereTheCropNeedsIt()
    {
        var bytes = EncodedImages.Jpeg(EncodedImages.Noise(128, 128, 2));
        var half = bytes[..(bytes.Length / 2)];
        using var upper = ImageDecoder.Open(half, "half.jpg");
        var region = upper.DecodeRegion(new DecodeRequest(new PixelBox(10, 10, 100, 20), 8, 8, AllowScaling: false), new PixelBuffer());
        Assert.Equal(20, region.Box.Height);
        using var lower = ImageDecoder.Open(half, "half.jpg");
        Assert.Throws<ImageUnreadableException>(
            () => lower.DecodeRegion(new DecodeRequest(new PixelBox(10, 90, 100, 20), 8, 8, AllowScaling: false), new PixelBuffer()));
    }

    [Fact]
    public void Open_DecompressionBomb_IsRefusedByItsHeader()
    {
        // The size in the header of a BMP and of a JPEG: nothing behind it has to be true.
        var bmp = EncodedImages.Bmp(new RgbImage(4, 4));
        BitConverter.GetBytes(50_000).CopyTo(bmp, 18);
        BitConverter.GetBytes(50_000).CopyTo(bmp, 22);
        Refusal(() => ImageDecoder.Open(bmp, "bomb.bmp"));

        var jpeg = EncodedImages.Jpeg(new RgbImage(16, 16));
        var frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xff, 0xc0]);
        (jpeg[frame + 5], jpeg[frame + 6], jpeg[frame + 7], jpeg[frame + 8]) = (0xc3, 0x50, 0xc3, 0x50);
        Assert.Contains("50000x50000", Refusal(() => ImageDecoder.Open(jpeg, "bomb.jpg")), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_MorePixelsThanTheLimit_NamesBoth()
    {
        var reason = Refusal(() => ImageDecoder.Open(EncodedImages.Png(new RgbImage(40, 30)), "a.png", new DecodingLimits(MaxPixels: 1000)));
        Assert.Contains("1,200", reason, StringComparison.Ordinal);
        Assert.Contains("1,000", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ZeroSizedJpeg_IsRefused()
    {
        var jpeg = EncodedImages.Jpeg(new RgbImage(16, 16));
        var frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xff, 0xc0]);
        (jpeg[frame + 5], jpeg[frame + 6]) = (0, 0);
        Refusal(() => ImageDecoder.Open(jpeg, "zero.jpg"));
    }

    private static string Refusal(Func<OpenedImage> open) => Assert.Throws<ImageUnreadableException>(() =>
    {
        using var image = open();
        image.Decode();
    }).Message;
}
