using System.CommandLine;
using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Reports;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa predict</c>: what a kept head says of images.</summary>
internal sealed class PredictVerb : Verb
{
    private const int Shown = 5;

    private readonly Option<string> _head = new("--head") { Description = "The folder that 'jepa fit' wrote.", Required = true, HelpName = "HEAD" };
    private readonly Option<string> _data = new("--data")
    {
        Description = "The images: a folder, a list, an archive or a data set; or one image file.",
        Required = true,
        HelpName = "PATH",
    };
    private readonly Option<string?> _out = new("--out") { Description = "A new file ending in .csv or .parquet.", HelpName = "FILE" };
    private readonly Option<string?> _sort = new("--sort-into")
    {
        Description = "A new folder to copy the images into: one folder a label, and one, _unsure, for those of which the head is not sure.",
        HelpName = "FOLDER",
    };
    private readonly Option<bool> _link = new("--link") { Description = "With --sort-into: make links instead of copies." };
    private readonly Option<double?> _unsure = new("--unsure-below")
    {
        Description = "A label of a lower probability is unsure; what 'jepa fit' chose if not given.",
        HelpName = "P",
    };
    private readonly Option<string?> _weights = new("--weights")
    {
        Description = "The encoder's weights, where they are no longer where the head was fitted on them.",
        HelpName = "PATH",
    };
    private readonly Option<string> _device = new("--device")
    {
        Description = "auto, cpu, cuda or cuda:N.",
        DefaultValueFactory = _ => "auto",
        HelpName = "DEVICE",
    };
    private readonly MemoryOption _memory = new();

    public PredictVerb()
        : base("predict", "Labels images with a head that 'jepa fit' kept, and sorts them into folders if asked to.")
    {
        foreach (var option in (Option[])[_head, _data, _out, _sort, _link, _unsure, _weights, _device, _memory]) Add(option);
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        _memory.Bound(arguments);
        var (output, sorted) = (arguments.GetValue(_out), arguments.GetValue(_sort));
        if (output is null && sorted is null)
            throw new JepaException("Nothing to write: give --out FILE.csv, --sort-into FOLDER, or both.", isUsage: true);
        if (arguments.GetValue(_link) && sorted is null) throw new JepaException("--link goes with --sort-into FOLDER.", isUsage: true);
        var unsureBelow = arguments.GetValue(_unsure);
        if (unsureBelow is not (null or (>= 0 and <= 1)))
            throw new JepaException(
                $"--unsure-below {unsureBelow.Value.ToString(CultureInfo.InvariantCulture)}: expected a probability, 0 to 1.", isUsage: true);
        if (output is not null) PredictionFile.RequireFree(output);
        using var claim = output is null ? null : OutputLock.Beside(output, "predicting into");
        using var sortClaim = sorted is null ? null : OutputLock.Beside(sorted, "sorting into");
        var record = HeadFolder.Read(HomePath.Expand(arguments.GetValue(_head)!));
        if (record.Classes is null && (sorted ?? unsureBelow?.ToString(CultureInfo.InvariantCulture)) is not null)
            throw new JepaException(
                $"{arguments.GetValue(_head)} predicts numbers (\"{record.Column}\"), which have no folders and no \"unsure\": leave "
                    + $"{(sorted is null ? "--unsure-below" : "--sort-into")} out.", isUsage: true);
        using var source = OpenImages(arguments.GetValue(_data)!);
        SourceNotes.Print(source, terminal);
        if (sorted is not null) SortedFolders.Require(sorted, source);
        using var head = FittedHead.Open(
            arguments.GetValue(_head)!, arguments.GetValue(_weights), TorchBackend.ChooseDevice(arguments.GetValue(_device)!));
        terminal.Error.WriteLine(
            $"predicting {Quantity.Of(source.Count, "image")} of {source.Description} with the {record.Kind} head of {arguments.GetValue(_head)} on "
                + $"{head.WeightsPath}");
        var predictions = Predict(head, source, unsureBelow, terminal, stop);
        if (predictions.LeftOut is { } leftOut) terminal.Error.WriteLine("note: " + leftOut.Sentence);
        foreach (var image in predictions.Unreadable.Take(Shown)) terminal.Error.WriteLine($"  {image.Message}");
        if (predictions.Unreadable.Count > Shown) terminal.Error.WriteLine($"  and {predictions.Unreadable.Count - Shown:n0} more");
        if (output is not null)
        {
            PredictionFile.Write(output, predictions.Images);
            var sum = record.Classes is null ? Numbers(predictions, record) : Unsure(predictions, unsureBelow ?? record.UnsureBelow);
            terminal.Out.WriteLine($"{output}: {Quantity.Of(predictions.Images.Count, "image")}{sum}");
            if (Outside(predictions, record) is { } outside) terminal.Error.WriteLine("note: " + outside);
        }

        if (sorted is not null) Sort(sorted, source, predictions, head, arguments.GetValue(_link), terminal, stop);
        return ExitCode.Done;
    }

    /// <summary>A set of images, or one image file.</summary>
    internal static ImageSource OpenImages(string path) => File.Exists(path) && IsImage(path) ? LooseImages.Files(path) : ImageSources.Open(path);

    private static bool IsImage(string path) => Path.GetExtension(path).ToLowerInvariant() is
        ".jpg" or ".jpeg" or ".png" or ".gif" or ".bmp" or ".webp" or ".tif" or ".tiff" or ".jpe" or ".jfif";

    private static HeadPredictions Predict(FittedHead head, ImageSource source, double? unsureBelow, Terminal terminal, StopSignals stop)
    {
        var progress = new RateProgress(terminal, "predicting", "images", source.Count, 0);
        try
        {
            return head.Predict(source, unsureBelow, progress, stop.Token);
        }
        finally
        {
            progress.Finish();
        }
    }

    private static string Unsure(HeadPredictions predictions, double? threshold) => threshold is not { } below
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $", {predictions.Images.Count(p => p.IsUnsure):n0} of them unsure (below {below:F3})");

    private static string Numbers(HeadPredictions predictions, HeadRecord record)
    {
        if (predictions.Images.Count == 0) return "";
        double[] numbers = [.. predictions.Images.Select(image => image.Number!.Value)];
        return string.Create(CultureInfo.InvariantCulture,
            $"; \"{record.Column}\" from {numbers.Min():0.###} to {numbers.Max():0.###}, {numbers.Average():0.###} on average, each +-"
                + $"{record.Interval:0.###}");
    }

    /// <summary>Numbers further from those that were fitted on than the range is wide: the images are unlike those, and the range is not to be
    /// believed.</summary>
    private static string? Outside(HeadPredictions predictions, HeadRecord record)
    {
        if (record is not { Lowest: { } lowest, Highest: { } highest, Interval: { } interval }) return null;
        var outside = predictions.Images.Count(image => image.Number < lowest - interval || image.Number > highest + interval);
        return outside == 0 ? null : string.Create(CultureInfo.InvariantCulture,
            $"{Quantity.Of(outside, "number")} {(outside == 1 ? "lies" : "lie")} far outside of {lowest:0.###} to {highest:0.###}, which the head "
                + $"was fitted on: such images are unlike those that it knows, and their ranges are not to be believed.");
    }

    private static void Sort(
        string folder, ImageSource source, HeadPredictions predictions, FittedHead head, bool link, Terminal terminal, StopSignals stop)
    {
        var progress = new RateProgress(terminal, "sorting", "images", predictions.Images.Count, 0);
        IReadOnlyDictionary<string, int> counts;
        try
        {
            counts = SortedFolders.Write(folder, source, predictions.Images, head.Classes, link, progress, stop.Token);
        }
        finally
        {
            progress.Finish();
        }

        var table = new ResultTable($"{folder}: {(link ? "links" : "copies")}", "folder", "images");
        foreach (var (name, count) in counts) table.Add(name, count.ToString("n0", CultureInfo.InvariantCulture));
        table.Print(terminal);
    }
}
