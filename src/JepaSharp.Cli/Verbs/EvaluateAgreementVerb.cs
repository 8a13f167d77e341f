using System.CommandLine;
using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Reports;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa evaluate agreement</c>: how well label-free measures go with probes, over runs that measured both.</summary>
internal sealed class EvaluateAgreementVerb : Verb
{
    private readonly Argument<string[]> _runs = new("RUNS")
    {
        Description = "Folders of runs of jepa pretrain, or folders that hold some, such as a study's.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _out = new("--out") { Description = "Write the numbers to this file.", HelpName = "FILE.json" };

    public EvaluateAgreementVerb()
        : base("agreement", "Says how well what runs measured without labels agrees with their probes.")
    {
        Add(_runs);
        Add(_out);
    }

    public override bool PrintsItsResult(ParseResult arguments) => arguments.GetValue(_out) is null;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var agreement = EvidenceAgreement.OfRuns(arguments.GetValue(_runs)!);
        foreach (var leftOut in agreement.LeftOut) terminal.Error.WriteLine("note: left out: " + leftOut);
        terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Quantity.Of(agreement.Runs, "run")}, {Quantity.Of(agreement.Moments, "moment")} at which probes and monitors had measured"));
        var correlations = new ResultTable(
            "rank correlation with the mean of the probes' scores",
            "evidence", "within a run", "deviation", "runs", "over all runs", "sets of images");
        foreach (var row in agreement.Correlations)
            correlations.Add(row.Evidence, Text(row.Within), Text(row.Deviation), Whole(row.Runs), Text(row.Across), Whole(row.Sets));
        correlations.Print(terminal);
        terminal.Out.WriteLine();
        var choices = new ResultTable("points lost against the best moment of each run", "checkpoint kept", "mean", "most", "runs");
        foreach (var row in agreement.Choices) choices.Add(row.Rule, Points(row.Lost), Points(row.Most), Whole(row.Runs));
        choices.Print(terminal);
        if (arguments.GetValue(_out) is { } path) WholeFile.WriteText(path, agreement.ToJson());
        return ExitCode.Done;
    }

    private static string Text(double value) => double.IsFinite(value) ? value.ToString("0.00", CultureInfo.InvariantCulture) : "-";

    private static string Points(double share) => double.IsFinite(share) ? (100 * share).ToString("0.0", CultureInfo.InvariantCulture) : "-";

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);
}
