using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;

namespace JepaSharp.Tests.Data.Decoding;

public class GifImageTests
{
    private static readonly byte[] Palette = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7];
    private static readonly byte[] Indices = [0, 1, 2, 3, 3, 2, 1, 0, 1, 1, 2, 2];

    [Fact]
    public void Decode_TransparentColour_KeepsThePalettesColour()
    {
        var plain = MadeGif.Write((4, 3), (0, 0, 4, 3), Palette, Indices);
        Assert.Equal(Coloured(Indices), Pixels(plain));
        Assert.Equal(Coloured(Indices), Pixels(MadeGif.Write((4, 3), (0, 0, 4, 3), Palette, Indices, transparent: 0)));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData(2, 2)]
    public void Decode_FrameSmallerThanTheCanvas_LiesInTheTransparentOrFirstColour(int? transparent, byte around)
    {
        var bytes = Enumerable.Repeat(around, 30).ToArray();
        for (var i = 0; i < Indices.Length; i++) bytes[(6 * (1 + (i / 4))) + 2 + (i % 4)] = Indices[i];
        Assert.Equal(Coloured(bytes), Pixels(MadeGif.Write((6, 5), (2, 1, 4, 3), Palette, Indices, transparent)));
    }

    [Fact]
    public void Decode_Interlaced_PutsRowsBack()
    {
        // Ten rows of one pixel: stored 0 8, 4, 2 6, 1 3 5 7 9.
        byte[] stored = [0, 8, 4, 2, 6, 1, 3, 5, 7, 9];
        var palette = Enumerable.Range(0, 30).Select(i => (byte)(i * 8)).ToArray();
        Assert.Equal(palette, Pixels(MadeGif.Write((1, 10), (0, 0, 1, 10), palette, stored, isInterlaced: true)));
    }

    [Fact]
    public void Decode_ThatLibvipsWrote_GivesItsColours()
    {
        // Longer codes than those of made files, and the codes of strings that are learned as they are read.
        var picture = EncodedImages.Picture(203, 157);
        for (var i = 0; i < picture.Pixels.Length; i++) picture.Pixels[i] = (byte)(picture.Pixels[i] / 64 * 85);
        var gif = EncodedImages.ByVips(picture, ".gif[dither=0]");
        using var vips = NetVips.Image.NewFromBuffer(gif);
        using var rgb = vips.Bands > 3 ? vips.ExtractBand(0, n: 3) : vips.Copy();
        Assert.Equal(rgb.WriteToMemory<byte>(), Pixels(gif));
    }

    [Fact]
    public void DecodeBands_OfAPart_AreThePixelsOfAFullDecode()
    {
        var gif = EncodedImages.ByVips(EncodedImages.Picture(90, 70), ".gif");
        using var whole = ImageDecoder.Open(gif, "a.gif");
        using var part = ImageDecoder.Open(gif, "a.gif");
        var region = part.DecodeRegion(new DecodeRequest(new(10, 20, 30, 40), 8, 8, AllowScaling: false), new PixelBuffer()).ToImage();
        var full = whole.Decode();
        for (var y = 0; y < 40; y++) Assert.Equal(full.Row(20 + y).Slice(30, 90), region.Row(y));
    }

    [Fact]
    public void HasFurtherFrames_SaysWhetherAnotherFollows()
    {
        foreach (var frames in (int[])[1, 2, 3])
        {
            using var image = ImageDecoder.Open(MadeGif.Write((4, 3), (0, 0, 4, 3), Palette, Indices, transparent: 1, frames: frames), "a.gif");
            Assert.Equal(frames > 1, image.HasFurtherFrames);
        }
    }

    [Fact]
    public void Open_AnyPartOrChangedByte_ThrowsNothingElseThanARefusal()
    {
        var gif = EncodedImages.ByVips(EncodedImages.Picture(40, 30), ".gif");
        for (var i = 0; i < gif.Length; i += 3)
        {
            Try(gif[..i]);
            var changed = gif.ToArray();
            changed[i] ^= 0x55;
            Try(changed);
        }
    }

    private static void Try(byte[] gif)
    {
        try
        {
            if (gif.Length > 10) _ = Pixels(gif);
        }
        catch (ImageUnreadableException)
        {
            // what a user is told
        }
    }

    private static byte[] Coloured(byte[] indices) => [.. indices.SelectMany(i => Palette[(3 * i)..][..3])];

    private static byte[] Pixels(byte[] file)
    {
        using var image = ImageDecoder.Open(file, "a.gif", new DecodingLimits(MaxPixels: 1_000_000));
        return image.Decode().Pixels;
    }
}
