using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs;

/// <summary>Says what a head is worth, as <c>jepa fit</c> ends.</summary>
internal static class FitReport
{
    /// <summary>A kind that was tried, as soon as it was.</summary>
    public static void Say(HeadTrial trial, Terminal terminal) =>
        terminal.Error.WriteLine($"tried {trial.Kind}: held-out accuracy {Percent(trial.HeldOut)}, log loss {Number(trial.LogLoss ?? double.NaN)}");

    /// <summary>A head of classes.</summary>
    public static void Print(FittedClasses head, IReadOnlyList<string> classes, string folder, Terminal terminal)
    {
        var report = head.Report;
        terminal.Error.WriteLine(report.Division);
        var table = new ResultTable("heads, on the images that choose (* kept)", "", "head", "accuracy", "log loss");
        foreach (var trial in report.Tried)
            table.Add(trial.Kind == head.Kind ? "*" : " ", trial.Kind, Percent(trial.HeldOut), Number(trial.LogLoss ?? double.NaN));
        table.Print(terminal);
        var score = report.OfClasses!;
        var scored = Quantity.Of(report.Scored, "image");
        terminal.Out.WriteLine(
            $"accuracy on {scored} that neither fitted nor chose: {Percent(score.Accuracy)} (mean per class {Percent(score.MeanPerClassAccuracy)})");
        if (score.MostFrequent is { } frequent)
        {
            terminal.Out.WriteLine($"always naming the most frequent class would be right in {Percent(frequent)} of them");
            if (score.Accuracy <= frequent)
                terminal.Error.WriteLine(
                    "note: the head is no better than that: give it more labelled images, or an encoder that was trained longer or on images like "
                        + "these.");
        }

        terminal.Out.WriteLine(
            $"calibration there: expected error {Percent(score.Before.ExpectedError)} as fitted, {Percent(score.After.ExpectedError)} at temperature "
                + $"{Number(head.Temperature)}; log loss {Number(score.Before.LogLoss)}, {Number(score.After.LogLoss)}");
        terminal.Out.WriteLine(
            $"unsure below {Number(head.UnsureBelow)}, where half of the mistakes of the images that choose lie: "
                + $"{Percent(score.Unsure)} of the images, {Percent(score.MistakesUnsure)} of the mistakes; the others are right in "
                + Percent(score.SureAccuracy));
        terminal.Out.WriteLine($"{folder}: {head.Kind} head of {Quantity.Of(classes.Count, "class", "classes")}");
    }

    /// <summary>A head of numbers.</summary>
    public static void Print(FittedNumbers head, string column, string folder, Terminal terminal)
    {
        var (report, score) = (head.Report, head.Report.OfNumbers!);
        terminal.Error.WriteLine(report.Division);
        var table = new ResultTable("heads, on the images that choose (* kept)", "", "head", "R2");
        foreach (var trial in report.Tried) table.Add(trial.Kind == head.Kind ? "*" : " ", trial.Kind, Number(trial.HeldOut));
        table.Print(terminal);
        terminal.Out.WriteLine(
            $"{column} on {Quantity.Of(report.Scored, "image")} that neither fitted nor chose: R2 {Number(score.R2)}, mean error "
                + $"{Number(score.MeanAbsoluteError)}, root mean square error {Number(score.RootMeanSquareError)}, right when rounded "
                + Percent(score.RoundedAccuracy));
        terminal.Out.WriteLine(
            $"the range of +-{Number(head.Interval)}, meant to hold nine of ten true numbers, holds {Percent(score.Inside)} of them");
        if (score.R2 <= 0)
            terminal.Error.WriteLine(
                "note: R2 of 0 or less is no better than always giving the mean: give it more images, or an encoder that was trained longer or on "
                    + "images like these.");
        terminal.Out.WriteLine($"{folder}: {head.Kind} head of \"{column}\", fitted on {Short(head.Lowest)} to {Short(head.Highest)}");
    }

    private static string Percent(double share) =>
        double.IsNaN(share) ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100 * share:F1}%");

    private static string Short(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Number(double value) => double.IsNaN(value) ? "-" : string.Create(CultureInfo.InvariantCulture, $"{value:F3}");
}
