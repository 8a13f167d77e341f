using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Configuration;
using JepaSharp.Objectives;
using JepaSharp.Runs;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Reports;

/// <summary>What a run would be, as <c>jepa pretrain --dry-run</c> prints it.</summary>
internal static class DryRunReport
{
    /// <summary>Prints the table.</summary>
    public static void Print(DryRun tried, PretrainOptions options, Terminal terminal)
    {
        var table = new ResultTable(null, "what", "value");
        var batch = options.Data.BatchSize;
        foreach (var (name, crops, side) in tried.Views) table.Add($"view {name}", Text($"[{crops * batch}, 3, {side}, {side}]"));
        foreach (var (name, role, parameters) in tried.Networks) table.Add(name, Text($"{parameters:n0} parameters, {Words(role)}"));
        table.Add("images", Text($"{tried.Images:n0}"));
        table.Add(
            "steps",
            Text($"{tried.TotalSteps:n0}, {tried.StepsPerEpoch:n0} an epoch, {Quantity.Of(batch * options.Optimization.Accumulate, "image")} each"));
        table.Add("loss of the first step", Text($"{tried.Loss:G4}"));
        table.Add("operations of the first step", tried.Operations is { } counted ? OperationsText(counted) : "not counted for this objective");
        table.Add("first step", Text($"{tried.FirstStep.TotalSeconds:F2} s"));
        table.Add("a step after it", Text(
            $"{tried.Step.TotalSeconds:F3} s, {batch * options.Optimization.Accumulate / tried.Step.TotalSeconds:F0} images/s"));
        table.Add("all steps", Text($"{ProgressLine.Duration(tried.Whole)}, measures and checkpoints not counted"));
        table.Add("most memory held", tried.PeakMegabytes is { } peak ? Text($"{peak:n0} MiB") : "the system does not say");
        table.Print(terminal);
    }

    private static string OperationsText(StepOperations counted)
    {
        var shares = counted.Networks.Select(n => Text($"{n.Network} {100 * n.Total / counted.Total:F0} %"));
        return Text($"{counted.Total:0.00e0}: ") + string.Join(", ", shares);
    }

    private static string Words(NetworkRole role) => role switch
    {
        NetworkRole.Trained => "trained",
        NetworkRole.Average => "moving average",
        _ => "frozen",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
