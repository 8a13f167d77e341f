using System.Globalization;
using System.Text.RegularExpressions;
using JepaSharp.Data;
using JepaSharp.Data.Sources;
using JepaSharp.Tests.BadInput;
using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.Situations;

/// <summary>Pictures whose files hold something else than plain bytes of RGB, and pictures too large for the memory that there may be.</summary>
[Collection(Lanes.Commands)]
public sealed class PixelSituations : SituationTests
{
    private static readonly byte[] Ramp = [.. Enumerable.Range(0, 60 * 40).Select(i => (byte)(255 * (i % 60) / 59))];
    private static readonly byte[] Palette = [255, 0, 0, 0, 255, 0, 0, 0, 255, 240, 240, 10];
    private static readonly byte[] Indices = [.. Enumerable.Range(0, 60 * 40).Select(i => (byte)(i / 10 % 4))];
    private static readonly MadeTiff Grey = new(60, 40);

    /// <summary>Waits for the command before it, and says what it took at most, as Linux counts it.</summary>
    private const string Watch = "p=$!; while kill -0 $p 2> /dev/null; do grep VmHWM /proc/$p/status > now 2> /dev/null && mv now peak; sleep 0.2; "
        + "done; wait $p; echo code $?; cat peak";

    private static readonly Situation[] Table =
    [
        Packed("floats from 0 to 1 in a TIFF", "float.tif",
            (Grey with { Bits = 32, SampleFormat = 3 }).Write(MadeTiff.Floats(Ramp.Select(v => v / 255.0))), [129, 129, 129]),
        Packed("a GIF whose first colour is transparent", "transparent.gif",
            MadeGif.Write((60, 40), (0, 0, 60, 40), Palette, Indices, transparent: 0), [240, 240, 10]),
        Packed("a GIF of several frames", "frames.gif", MadeGif.Write((60, 40), (0, 0, 60, 40), Palette, Indices, transparent: 3, frames: 2),
            [240, 240, 10]),
        Unreadable("floats of no known range", "float.tif",
            (Grey with { Bits = 32, SampleFormat = 3 }).Write(MadeTiff.Floats(Ramp.Select(v => v * 10.5))), "32-bit floats from 0 to 2677.5"),
        Unreadable("signed integers", "signed.tif", (Grey with { Bits = 16, SampleFormat = 2 }).Write(MadeTiff.Shorts(Ramp.Select(v => v - 128))),
            "signed integers of 16 bits from -128 to 127"),
        Unreadable("twelve bits in sixteen", "twelve.tif", (Grey with { Bits = 16 }).Write(MadeTiff.Shorts(Ramp.Select(v => v * 16))),
            "would come out black"),
        Unreadable(
            "L*a*b* colours", "lab.tif", (Grey with { Photometric = 8, Channels = 3 }).Write([.. Ramp, .. Ramp, .. Ramp]), "CIE L*a*b* colours"),
        Unreadable("a packing that nothing here reads", "packed.tif", (Grey with { Compression = 50000 }).Write(Ramp), "packed as Zstandard"),
        new("a turned PNG", "jepa inspect photos", 0, "1 image, ")
        {
            Check = (_, said) => Assert.Matches(@"width\s+40 .*\n.*height\s+60 ", said),
            Build = folder => Photos.File1("photos/turned.png", MadePng.Write(60, 40, 8, 0, Ramp, MadePng.Chunk("eXIf", MadePng.Exif(6))))(folder),
        },
        new("frames that are left out", "jepa inspect photos", 0, "note: 1 of them holds several frames or pages; of each the first is taken")
        {
            Build = folder => Photos.File1("photos/frames.gif", MadeGif.Write((60, 40), (0, 0, 60, 40), Palette, Indices, frames: 3))(folder),
        },
        new("a picture longer than a JPEG may be", "jepa pack --data photos --out x.jepapack --quality 90", 0, "2 images as JPEGs of quality 90",
            "1 image is stored as pixels, since a JPEG ends at 65,500 pixels to a side: long.png")
        {
            Build = folder =>
            {
                Photos.File1("photos/long.png", MadePng.Write(4, 70_000, 8, 0, new byte[4 * 70_000]))(folder);
                Photos.File1("photos/ok.png", Photos.Png)(folder);
            },
            Check = (folder, _) =>
            {
                using var pack = ImageSources.Open(Path.Combine(folder, "x.jepapack"));
                using var image = pack.Open(0);
                Assert.Equal((4, 70_000, "pixels"), (image.Width, image.Height, image.Format));
            },
        },
        Bounded("large PNGs looked at", "jepa inspect photos --all --memory-mb 64", "code 0", "2 images decoded", "broken: none"),
        Bounded("large PNGs packed", "jepa pack --data photos --out x.jepapack --side 64 --memory-mb 64", "code 0", "2 images as"),
        Bounded("large PNGs kept whole in a pack", "jepa pack --data photos --out x.jepapack --raw --memory-mb 64", "code 1", "None of the 2 images",
            "Raise data.memory_mb (or --memory-mb)"),
        new("a bound that is no bound", "jepa inspect photos --memory-mb 8", 2,
            "--memory-mb 8: expected at least 64") { Build = folder => Photos.File1("photos/a.png", Photos.Png)(folder) },
    ];

    public static TheoryData<string> Names => NamesOf(Table);

    [Theory]
    [MemberData(nameof(Names))]
    public void Pixels_Command_DoesWhatIsMeant(string name) => Run(Table.Single(s => s.Name == name));

    /// <summary>A file that is packed, and a pixel of it: that in column 30 of the first row.</summary>
    private static Situation Packed(string name, string file, byte[] bytes, byte[] pixel) =>
        new(name, $"jepa pack --data photos --out x.jepapack --raw", 0, "1 image as pixels")
        {
            Build = folder => Photos.File1("photos/" + file, bytes)(folder),
            Never = ["left out"],
            Check = (folder, _) =>
            {
                using var pack = ImageSources.Open(Path.Combine(folder, "x.jepapack"));
                using var image = pack.Open(0);
                RgbImage pixels = image.Decode();
                Assert.Equal((60, 40), (image.Width, image.Height));
                Assert.Equal(pixel, pixels.Row(0).Slice(90, 3).ToArray());
            },
        };

    private static Situation Unreadable(string name, string file, byte[] bytes, string said) =>
        new(name, "jepa inspect photos --all", 0, "broken: 1", file, said)
        {
            Build = folder =>
            {
                Photos.File1("photos/" + file, bytes)(folder);
                Photos.File1("photos/ok.png", Photos.Png)(folder);
            },
        };

    /// <summary>Two pictures of 7,000 x 7,000 pixels, 196 MB each, in a command that may hold 64 MB of them, and about half a GB of itself.</summary>
    private static Situation Bounded(string name, string command, params string[] says) => new(name, $"{command} & {Watch}", 0, says)
    {
        Build = folder =>
        {
            var large = MadePng.Large(7000);
            Photos.File1("photos/0.png", large)(folder);
            Photos.File1("photos/1.png", large)(folder);
        },
        Check = (_, said) =>
        {
            if (Regex.Match(said, @"VmHWM:\s+(\d+) kB") is { Success: true } peak)
                Assert.InRange(int.Parse(peak.Groups[1].Value, CultureInfo.InvariantCulture) / 1024, 1, 64 + 512);
        },
    };
}
