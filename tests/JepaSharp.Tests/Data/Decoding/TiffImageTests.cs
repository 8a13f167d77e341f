using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;

namespace JepaSharp.Tests.Data.Decoding;

public class TiffImageTests
{
    private const int Width = 16, Height = 8;

    private static readonly byte[] Ramp = [.. Enumerable.Range(0, Width * Height).Select(i => (byte)(2 * i))];
    private static readonly byte[] Colours = [.. Enumerable.Range(0, 3 * Width * Height).Select(i => (byte)(i * 37))];
    private static readonly MadeTiff Grey = new(Width, Height);

    [Theory]
    [InlineData(32)]
    [InlineData(8)]
    public void Decode_FloatsFromZeroToOne_AreScaledTo255(int channelsTimesEight)
    {
        var isRgb = channelsTimesEight == 8;
        var levels = isRgb ? Colours : Ramp;
        var tiff = Grey with { Bits = 32, SampleFormat = 3, Photometric = isRgb ? 2 : 1, Channels = isRgb ? 3 : 1 };
        Assert.Equal(isRgb ? levels : Thrice(levels), Pixels(tiff.Write(MadeTiff.Floats(levels.Select(v => v / 255.0)))));
    }

    [Fact]
    public void Decode_WideSamplesThatAreLevels_AreTakenAsTheyAre()
    {
        Assert.Equal(Thrice(Ramp), Pixels((Grey with { Bits = 32, SampleFormat = 3 }).Write(MadeTiff.Floats(Ramp.Select(v => (double)v)))));
        Assert.Equal(Thrice(Ramp), Pixels((Grey with { Bits = 16, SampleFormat = 2 }).Write(MadeTiff.Shorts(Ramp.Select(v => (int)v)))));
        Assert.Equal(Thrice(Ramp), Pixels((Grey with { Bits = 32, SampleFormat = 2 }).Write(MadeTiff.Longs(Ramp.Select(v => (long)v)))));
    }

    [Fact]
    public void Decode_UnsignedWideSamples_KeepTheirHighByte()
    {
        Assert.Equal(Thrice(Ramp), Pixels((Grey with { Bits = 16 }).Write(MadeTiff.Shorts(Ramp.Select(v => (v << 8) + 200)))));
        Assert.Equal(Colours, Pixels((Grey with { Bits = 16, Photometric = 2, Channels = 3 }).Write(MadeTiff.Shorts(Colours.Select(v => v << 8)))));
        Assert.Equal(Thrice(Ramp), Pixels((Grey with { Bits = 32 }).Write(MadeTiff.Longs(Ramp.Select(v => ((long)v << 24) + 12345)))));
        Assert.Equal(Thrice(Inverted(Ramp)), Pixels((Grey with { Bits = 16, Photometric = 0 }).Write(MadeTiff.Shorts(Ramp.Select(v => v * 257)))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Decode_FewBits_AreSpreadFromBlackToWhite(int bits)
    {
        var levels = Ramp.Select(v => (byte)((v >> (8 - bits)) * 255 / ((1 << bits) - 1))).ToArray();
        var packed = MadePng.Packed(Ramp, Width, bits);
        Assert.Equal(Thrice(levels), Pixels((Grey with { Bits = bits }).Write(packed)));
        Assert.Equal(Thrice(Inverted(levels)), Pixels((Grey with { Bits = bits, Photometric = 0 }).Write(packed)));
        int[] palette = [.. Enumerable.Range(0, 3 << bits).Select(i => i * 7919 % 256 * 257)];
        byte[] colours = [.. Ramp.SelectMany(v => Enumerable.Range(0, 3).Select(c => (byte)(palette[(c << bits) + (v >> (8 - bits))] >> 8)))];
        Assert.Equal(colours, Pixels((Grey with { Bits = bits, Photometric = 3, Palette = palette }).Write(packed)));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Decode_Cmyk_IsPaperLessInk(int bits)
    {
        byte[] ink = [10, 200, 30, 0, 255, 0, 128, 64, 0, 0, 0, 255, 0, 0, 0, 0];
        var tiff = new MadeTiff(4, 1) { Photometric = 5, Channels = 4, Bits = bits };
        // (255 - K)(255 - C) / 255, and so on, rounded.
        Assert.Equal(
            [245, 55, 225, 0, 191, 95, 0, 0, 0, 255, 255, 255], Pixels(tiff.Write(bits == 8 ? ink : MadeTiff.Shorts(ink.Select(v => v * 257)))));
    }

    [Fact]
    public void Decode_Alpha_IsDroppedAndUndoneWhereColoursWereMultipliedByIt()
    {
        byte[] straight = [200, 100, 50, 128, 10, 20, 30, 0], multiplied = [100, 50, 25, 128, 10, 20, 30, 255];
        var tiff = new MadeTiff(2, 1) { Photometric = 2, Channels = 4 };
        Assert.Equal([200, 100, 50, 10, 20, 30], Pixels((tiff with { Extra = [2] }).Write(straight)));
        var undone = Pixels((tiff with { Extra = [1] }).Write(multiplied));
        Assert.InRange(undone[0], 198, 200);
        Assert.InRange(undone[1], 98, 100);
        Assert.Equal([10, 20, 30], undone[3..]);
        Assert.Equal(Thrice([200, 50]), Pixels(new MadeTiff(2, 1) { Channels = 2, Extra = [2] }.Write([200, 100, 50, 0])));
    }

    [Theory]
    [InlineData(6)]
    [InlineData(3)]
    public void Decode_Orientation_IsApplied(int orientation)
    {
        var tiff = Grey with { Photometric = 2, Channels = 3, Orientation = orientation };
        using var image = ImageDecoder.Open(tiff.Write(Colours), "a.tif");
        Assert.Equal(orientation == 6 ? (Height, Width) : (Width, Height), (image.Width, image.Height));
        var corner = orientation == 6 ? Width * (Height - 1) : (Width * Height) - 1;
        Assert.Equal(Colours[(3 * corner)..][..3], image.Decode().Pixels[..3]);
    }

    public static TheoryData<string, string> Refusals => new()
    {
        { "float range", "32-bit floats from -100 to 410, and which of them is black" },
        { "float NaN", "32-bit floats, some of which are not numbers" },
        { "float dark", "32-bit floats from 0 to 0.01" },
        { "signed 8", "signed integers of 8 bits" },
        { "signed 16", "signed integers of 16 bits from -100 to 154" },
        { "signed 32", "signed integers of 32 bits from 0 to 254000" },
        { "16 bits of 12", "end at 4,064 of 65,535, so that the image would come out black" },
        { "32 bits of 8", "end at 254 of 4,294,967,295" },
        { "half", "floats of 16 bits" },
        { "double", "floats of 64 bits" },
        { "lab", "CIE L*a*b* colours" },
        { "ycbcr", "YCbCr colours that are not packed as JPEG" },
        { "sensor", "raw values of a camera's sensor" },
        { "three greys", "3 channels, of which none is said to be red, green or blue" },
        { "zstandard", "packed as Zstandard" },
        { "lzma", "packed as LZMA" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Decode_WhatCannotBeKnown_IsUnreadableByName(string kind, string said)
    {
        var file = kind switch
        {
            "float range" => (Grey with { Bits = 32, SampleFormat = 3 }).Write(MadeTiff.Floats(Ramp.Select(v => (v / 254.0 * 510) - 100))),
            "float NaN" => (Grey with { Bits = 32, SampleFormat = 3 }).Write(MadeTiff.Floats(Ramp.Select(v => v == 100 ? double.NaN : v / 255.0))),
            "float dark" => (Grey with { Bits = 32, SampleFormat = 3 }).Write(MadeTiff.Floats(Ramp.Select(v => v / 25400.0))),
            "signed 8" => (Grey with { SampleFormat = 2 }).Write(Ramp),
            "signed 16" => (Grey with { Bits = 16, SampleFormat = 2 }).Write(MadeTiff.Shorts(Ramp.Select(v => v - 100))),
            "signed 32" => (Grey with { Bits = 32, SampleFormat = 2 }).Write(MadeTiff.Longs(Ramp.Select(v => v * 1000L))),
            "16 bits of 12" => (Grey with { Bits = 16 }).Write(MadeTiff.Shorts(Ramp.Select(v => v * 16))),
            "32 bits of 8" => (Grey with { Bits = 32 }).Write(MadeTiff.Longs(Ramp.Select(v => (long)v))),
            "half" => (Grey with { Bits = 16, SampleFormat = 3 }).Write(MadeTiff.Shorts(Ramp.Select(v => (int)v))),
            "double" => (Grey with { Bits = 64, SampleFormat = 3 }).Write([.. Ramp.SelectMany(v => BitConverter.GetBytes(v / 255.0))]),
            "lab" => (Grey with { Photometric = 8, Channels = 3 }).Write(Colours),
            "ycbcr" => (Grey with { Photometric = 6, Channels = 3 }).Write(Colours),
            "sensor" => (Grey with { Bits = 16, Photometric = 32803 }).Write(MadeTiff.Shorts(Ramp.Select(v => v * 257))),
            "three greys" => (Grey with { Channels = 3, Extra = [0, 0] }).Write(Colours),
            "zstandard" => (Grey with { Compression = 50000 }).Write(Ramp),
            _ => (Grey with { Compression = 34925 }).Write(Ramp),
        };
        Assert.Contains(said, Assert.Throws<ImageUnreadableException>(() => Pixels(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_BlackFloats_AreBlack() =>
        Assert.All(Pixels((Grey with { Bits = 32, SampleFormat = 3 }).Write(new byte[4 * Width * Height])), v => Assert.Equal(0, v));

    [Theory]
    [InlineData(".tif[compression=jpeg,Q=95]")]
    [InlineData(".tif[tile,tile-width=16,tile-height=16]")]
    [InlineData(".tif[bigtiff,compression=deflate]")]
    public void Decode_AsOthersPackThem_GivesThePicture(string suffix)
    {
        var picture = EncodedImages.Picture(61, 43);
        var (mean, _) = RecordedPhotos.Difference(picture.Pixels, Pixels(EncodedImages.ByVips(picture, suffix)));
        Assert.InRange(mean, 0, suffix.Contains("jpeg", StringComparison.Ordinal) ? 8 : 0);
    }

    private static byte[] Thrice(byte[] levels) => [.. levels.SelectMany(v => Enumerable.Repeat(v, 3))];

    private static byte[] Inverted(byte[] levels) => [.. levels.Select(v => (byte)(255 - v))];

    private static byte[] Pixels(byte[] file)
    {
        using var image = ImageDecoder.Open(file, "a.tif");
        return image.Decode().Pixels;
    }
}
