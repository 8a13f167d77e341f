using System.CommandLine;
using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Reports;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Packing;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa pack</c>: writes any set of images into one file that is read without opening or decoding a file an image.</summary>
internal sealed class PackVerb : Verb
{
    private const int RawUpTo = 64, DefaultQuality = 90;

    private readonly Option<string> _data = new("--data")
    {
        Description = "Images: anything that --data takes elsewhere.",
        Required = true,
        HelpName = "PATH",
    };
    private readonly Option<string> _out = new("--out")
    {
        Description = "The file to write, ending in .jepapack.",
        Required = true,
        HelpName = "FILE",
    };
    private readonly Option<int?> _side = new("--side") { Description = "Shorter side in pixels that larger images are reduced to.", HelpName = "S" };
    private readonly Option<int?> _quality = new("--quality") { Description = "Store JPEGs of this quality, 1 to 100.", HelpName = "Q" };
    private readonly Option<bool> _raw = new("--raw") { Description = "Store pixels as they are." };

    private readonly MemoryOption _memory = new();

    public PackVerb()
        : base("pack", "Writes images, labels and names into one file that reads much faster than a folder of small images.")
    {
        foreach (var option in (Option[])[_data, _out, _side, _quality, _raw, _memory]) Add(option);
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        _memory.Bound(arguments);
        var path = arguments.GetValue(_out)!;
        if (!path.EndsWith(PackWriter.Extension, StringComparison.Ordinal))
            throw new JepaException($"--out {path}: a pack's name ends in {PackWriter.Extension}, by which it is recognised.", isUsage: true);
        if (arguments.GetValue(_raw) && arguments.GetValue(_quality) is not null)
            throw new JepaException("--raw and --quality cannot go together: choose one.", isUsage: true);
        PackWriter.RequireNew(path);
        using var source = ImageSources.Open(arguments.GetValue(_data)!);
        SourceNotes.Print(source, terminal);
        var side = arguments.GetValue(_side);
        var quality = arguments.GetValue(_raw) ? null : arguments.GetValue(_quality) ?? ChooseQuality(source, side);
        var progress = new CountProgress(terminal, "packing images", source.Count);
        PackResult result;
        using var work = stop.WaitForWork(); // what was begun is removed
        try
        {
            result = PackWriter.Write(source, path, new PackOptions { ShorterSide = side, JpegQuality = quality }, progress, stop.Token);
        }
        finally
        {
            progress.Finish();
        }

        var stored = quality is null ? "pixels as they are" : $"JPEGs of quality {quality}";
        terminal.Out.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{Quantity.Of(result.Count, "image")} as {stored} in {path}, {result.Bytes / 1e6:N1} MB"));
        if (result.KeptAsPixels is [var first, ..])
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Quantity.Of(result.KeptAsPixels.Count, "image is", "images are")} stored as pixels, since a JPEG ends at 65,500 pixels to a side: "
                    + $"{first}{(result.KeptAsPixels.Count > 1 ? " and others" : "")}"));
        var list = path + "." + UnreadableReport.FileName;
        UnreadableReport.Write(list, result.Unreadable);
        var example = result.Unreadable is [var broken, ..] ? broken.Name : null;
        if (LeftOutImages.Of("images", result.Unreadable.Count, source.Count, example) is { } leftOut)
            terminal.Out.WriteLine($"note: {leftOut.Sentence} Which and why: {list}");
        return ExitCode.Done;
    }

    /// <summary>Small images as pixels, which read fastest; larger ones as JPEGs, which take a tenth of the room.</summary>
    private static int? ChooseQuality(ImageSource source, int? side)
    {
        var shorter = ImageSourceSummary.Of(source, 100).MedianShorterSide;
        return Math.Min(shorter, side ?? int.MaxValue) <= RawUpTo ? null : DefaultQuality;
    }
}
