using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Reports;

/// <summary>What a head that is kept says of itself.</summary>
internal static class HeadInspection
{
    private const int Shown = 12;

    /// <summary>Prints it.</summary>
    /// <exception cref="JepaException">It is no head, or one of a later version.</exception>
    public static void Print(string path, Terminal terminal)
    {
        var head = HeadFolder.Read(HomePath.Expand(path));
        var table = new ResultTable(null, "head", "");
        table.Add("kind", head.Kind);
        if (head.Classes is { } classes)
        {
            var more = classes.Count > Shown ? $" and {classes.Count - Shown:n0} more" : "";
            table.Add("classes", $"{classes.Count:n0}: {string.Join(", ", classes.Take(Shown))}{more}");
            table.Add("temperature", Number(head.Temperature!.Value)).Add("unsure below", Number(head.UnsureBelow!.Value));
        }
        else
        {
            table.Add("numbers", head.Column!).Add("range", "+-" + Number(head.Interval!.Value));
            if (head is { Lowest: { } lowest, Highest: { } highest }) table.Add("fitted on", $"{Number(lowest)} to {Number(highest)}");
        }

        table.Add("encoder", $"{head.Encoder.Network} of {head.Encoder.Path ?? HeadFolder.EncoderName + " beside it"}");
        table.Add("fingerprint", head.Encoder.Fingerprint);
        table.Add("features", $"{head.Features.Width:n0} of {Quantity.Of(head.Features.Layers, "layer")}, pooling {head.Features.Pool}");
        table.Add("images", $"{head.Transform.Kind} to {head.Transform.Size}x{head.Transform.Size}, {head.Transform.Filter}");
        if (head.Report is { } report) AddReport(table, report);
        table.Add("written by", $"JepaSharp {head.Jepasharp}, format {head.Format}");
        table.Print(terminal);
    }

    private static void AddReport(ResultTable table, HeadReport report)
    {
        table.Add("division", report.Division);
        table.Add("tried", string.Join(", ", report.Tried.Select(trial => $"{trial.Kind} {Number(trial.HeldOut)}")));
        if (report.OfClasses is { } score)
            table.Add("scored", $"accuracy {Number(score.Accuracy)}, mean per class {Number(score.MeanPerClassAccuracy)}, expected calibration error "
                + $"{Number(score.After.ExpectedError)} ({Number(score.Before.ExpectedError)} without the temperature)");
        if (report.OfNumbers is { } numbers)
            table.Add("scored", $"R2 {Number(numbers.R2)}, mean error {Number(numbers.MeanAbsoluteError)}");
    }

    private static string Number(double value) => value.ToString("F3", CultureInfo.InvariantCulture);
}
