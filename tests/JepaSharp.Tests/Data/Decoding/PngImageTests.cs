using System.IO.Compression;
using System.Text;
using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;

namespace JepaSharp.Tests.Data.Decoding;

public class PngImageTests
{
    private const int Width = 17, Height = 11;

    private static readonly byte[] Colours = [.. Enumerable.Range(0, 4 * Width * Height).Select(i => (byte)(i * 37))];

    [Theory]
    [InlineData("eXIf", 1)]
    [InlineData("eXIf", 2)]
    [InlineData("eXIf", 3)]
    [InlineData("eXIf", 4)]
    [InlineData("eXIf", 5)]
    [InlineData("eXIf", 6)]
    [InlineData("eXIf", 7)]
    [InlineData("eXIf", 8)]
    [InlineData("tEXt", 6)]
    [InlineData("zTXt", 6)]
    [InlineData("iTXt", 6)]
    public void Decode_Orientation_IsAppliedWhereverItIsSaid(string chunk, int orientation)
    {
        var picture = EncodedImages.Picture(Width, Height);
        using var image = ImageDecoder.Open(MadePng.Write(Width, Height, 8, 2, picture.Pixels, Oriented(chunk, orientation)), "a.png");
        var swaps = orientation >= 5;
        Assert.Equal(swaps ? (Height, Width) : (Width, Height), (image.Width, image.Height));
        var shown = image.Decode();
        // Where EXIF 2.3 says that row 0 and column 0 of the stored image are seen.
        var (rowZero, columnZero) = orientation switch
        {
            1 => ("top", "left"),
            2 => ("top", "right"),
            3 => ("bottom", "right"),
            4 => ("bottom", "left"),
            5 => ("left", "top"),
            6 => ("right", "top"),
            7 => ("right", "bottom"),
            _ => ("left", "bottom"),
        };
        var y = rowZero == "top" || columnZero == "top" ? 0 : shown.Height - 1;
        var x = rowZero == "left" || columnZero == "left" ? 0 : shown.Width - 1;
        Assert.Equal(picture.Pixels.AsSpan(0, 3), shown.Row(y).Slice(3 * x, 3));
        // The stored neighbour to the right.
        var (nextX, nextY) = swaps ? (x, y == 0 ? 1 : y - 1) : (x == 0 ? 1 : x - 1, y);
        Assert.Equal(picture.Pixels.AsSpan(3, 3), shown.Row(nextY).Slice(3 * nextX, 3));
    }

    [Fact]
    public void Open_AsXcodePacksIt_IsUnreadableByName()
    {
        var png = MadePng.Write(Width, Height, 8, 6, Colours, first: MadePng.Chunk("CgBI", [0x50, 0, 0x20, 2]));
        Assert.Contains("(CgBI)", Assert.Throws<ImageUnreadableException>(() => ImageDecoder.Open(png, "a.png")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_SixteenBitsThatEndFarBelowWhite_IsUnreadableByName()
    {
        var samples = Enumerable.Range(0, Width * Height).SelectMany(i => (byte[])[(byte)(i % 16), 7]).ToArray();
        var reason = Assert.Throws<ImageUnreadableException>(() => Pixels(MadePng.Write(Width, Height, 16, 0, samples))).Message;
        Assert.Contains("end at 3,847 of 65,535", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 2)]
    [InlineData(0, 4)]
    [InlineData(0, 8)]
    [InlineData(2, 8)]
    [InlineData(3, 1)]
    [InlineData(3, 2)]
    [InlineData(3, 4)]
    [InlineData(3, 8)]
    [InlineData(4, 8)]
    [InlineData(6, 8)]
    public void Decode_ByEitherLibrary_GivesTheSamePixels(int colour, int depth)
    {
        var channels = colour switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var samples = Colours[..(channels * Width * Height)];
        var palette = Enumerable.Range(0, 3 << depth).Select(i => (byte)(i * 91)).ToArray();
        byte[] chunks = colour switch
        {
            0 => MadePng.Chunk("tRNS", [0, 1]),
            2 => MadePng.Chunk("tRNS", [0, samples[3], 0, samples[4], 0, samples[5]]),
            3 => [.. MadePng.Chunk("PLTE", palette), .. MadePng.Chunk("tRNS", [0, 128])],
            _ => [],
        };
        var png = MadePng.Write(
            Width, Height, depth, colour, MadePng.Packed(samples, channels * Width, depth), [.. MadePng.Chunk("gAMA", [0, 0, 0x2f, 0]), .. chunks]);
        byte[] expected = colour switch
        {
            0 => [.. samples.SelectMany(v => Enumerable.Repeat((byte)((v >> (8 - depth)) * 255 / ((1 << depth) - 1)), 3))],
            2 => samples,
            3 => [.. samples.SelectMany(v => palette[(3 * (v >> (8 - depth)))..][..3])],
            4 => [.. samples.Where((_, i) => i % 2 == 0).SelectMany(v => Enumerable.Repeat(v, 3))],
            _ => [.. samples.Where((_, i) => i % 4 != 3)],
        };
        Assert.Equal(expected, Pixels(png));
        using var byRows = VipsImage.OpenPng(FileBytes.Of(png), "a.png", PngChunks.Of(png, "a.png"), DecodingLimits.Default);
        Assert.Equal(expected, byRows.Decode().Pixels);
    }

    [Theory]
    [InlineData("tEXt")]
    [InlineData("fdAT")]
    public void Open_LongChunksThatNoPixelDependsOn_AreNotHandedOn(string type)
    {
        var picture = EncodedImages.Picture(Width, Height);
        var chunks = Enumerable.Repeat(MadePng.Chunk(type, new byte[1 << 16]), 40).SelectMany(b => b).ToArray();
        var png = MadePng.Write(Width, Height, 8, 2, picture.Pixels, chunks);
        Assert.InRange(PngChunks.Of(png, "a.png").Needed(FileBytes.Of(png)).Length, 1, 2000);
        Assert.Equal(picture.Pixels, Pixels(png));
    }

    [Fact]
    public void Verify_LargePng_TakesLittleMemory()
    {
        // 144 MB of pixels.
        using var source = new OneImage(MadePng.Large(6000));
        var memory = new DecodingMemory(64 << 20, 64 << 20);
        using (var image = memory.Open(source, 0)) image.Verify(new PixelBuffer());
        Assert.InRange(memory.MostUsed, 1 << 20, 32 << 20);
    }

    private static byte[] Oriented(string chunk, int orientation)
    {
        var exif = MadePng.Exif(orientation);
        if (chunk == "eXIf") return MadePng.Chunk(chunk, exif);
        byte[] profile = [.. "Exif\0\0"u8, .. exif];
        var text = Encoding.ASCII.GetBytes($"\nexif\n{profile.Length,8}\n{Convert.ToHexStringLower(profile)}\n");
        byte[] keyword = [.. "Raw profile type exif\0"u8];
        return MadePng.Chunk(chunk, chunk switch
        {
            "tEXt" => [.. keyword, .. text],
            "zTXt" => [.. keyword, 0, .. Deflated(text)],
            _ => [.. keyword, 1, 0, 0, 0, .. Deflated(text)],
        });
    }

    private static byte[] Deflated(byte[] text)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(text);
        return packed.ToArray();
    }

    private static byte[] Pixels(byte[] file)
    {
        using var image = ImageDecoder.Open(file, "a.png");
        return image.Decode().Pixels;
    }

    private sealed class OneImage(byte[] file) : ImageSource
    {
        public override int Count => 1;

        public override string Description => "one image";

        public override string NameOf(int index) => "a.png";

        public override OpenedImage Open(int index) => ImageDecoder.Open(file, "a.png");
    }
}
