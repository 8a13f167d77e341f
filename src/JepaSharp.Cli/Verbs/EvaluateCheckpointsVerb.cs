using System.CommandLine;
using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Verbs.Evaluate;
using JepaSharp.Monitoring;
using JepaSharp.Reports;
using JepaSharp.Runs;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa evaluate checkpoints</c>: ranks a run's kept checkpoints and says which to keep.</summary>
internal sealed class EvaluateCheckpointsVerb : Verb
{
    private readonly Argument<string> _run = new("RUN") { Description = "The folder of a run of jepa pretrain." };
    private readonly Option<string?> _data = new("--data") { Description = "Images to measure on; the run's own without it.", HelpName = "PATH" };
    private readonly Option<string?> _test = new("--test")
    {
        Description = "Labelled images to score probes on; the run's own without it.",
        HelpName = "PATH",
    };
    private readonly Option<string?> _out = new("--out") { Description = "Write everything measured to this file.", HelpName = "FILE.json" };
    private readonly Option<string?> _device = new("--device") { Description = "auto, cpu, cuda or cuda:N.", HelpName = "DEVICE" };

    public EvaluateCheckpointsVerb()
        : base("checkpoints", "Ranks the checkpoints that a run kept, and says which to keep.")
    {
        Add(_run);
        foreach (var option in (Option[])[_data, _test, _out, _device]) Add(option);
    }

    public override bool PrintsItsResult(ParseResult arguments) => arguments.GetValue(_out) is null;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var folder = arguments.GetValue(_run)!;
        _ = CheckpointRanking.Find(folder); // none: said before the images are looked at
        using var claim = arguments.GetValue(_out) is { } output ? OutputLock.Beside(output, "writing") : null;
        using var run = FinishedRun.Open(folder, arguments.GetValue(_data), arguments.GetValue(_test), arguments.GetValue(_device));
        var checkpoints = CheckpointRanking.Find(folder); // a run that goes on may have replaced some
        terminal.Error.WriteLine($"measuring {Quantity.Of(checkpoints.Count, "checkpoint")} of {run.Folder} on {run.Source.Description}");
        foreach (var note in run.Notes) terminal.Error.WriteLine("note: " + note);
        var progress = new CountProgress(terminal, "checkpoints", checkpoints.Count);
        var ranking = run.RankCheckpoints(checkpoints, progress, stop.Token);
        progress.Finish();
        foreach (var leftOut in ranking.LeftOut) terminal.Error.WriteLine("note: " + leftOut);
        Table(ranking).Print(terminal);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(ranking.Advice);
        if (arguments.GetValue(_out) is { } path)
        {
            WholeFile.WriteText(path, ranking.ToJson(new Dictionary<string, string>
            {
                ["run"] = run.Folder,
                ["data"] = run.Source.Description,
                ["test"] = run.Plan.Options.Data.TestPath ?? "",
                ["seed"] = run.Plan.Options.Meta.Seed.ToString(CultureInfo.InvariantCulture),
            }));
        }

        return ExitCode.Done;
    }

    private static ResultTable Table(CheckpointRanking ranking)
    {
        string[] scores = [.. ranking.Ranked.SelectMany(c => c.Probe.Keys).Where(MeasureWords.IsProbeScore).Distinct()];
        var table = new ResultTable("checkpoints, the best first",
            ["checkpoint", "step", .. scores.Select(s => s.Replace('_', ' ')), "RankMe", "LiDAR", "loss", "by position", "constant"]);
        foreach (var c in ranking.Ranked)
        {
            table.Add([
                c.Name, Text(c.Step, "F0"), .. scores.Select(s => c.Probe.TryGetValue(s, out var value) ? Text(value, "F3") : "-"),
                Text(c.Reading.RankMe, "F2"), Text(c.Reading.Lidar, "F2"), Text(c.Reading.Loss, "F4"), Text(c.Reading.PositionLoss, "F4"),
                Text(c.Reading.ConstantLoss, "F4")]);
        }

        return table;
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

/// <summary><c>jepa evaluate TASK</c>: what an encoder is worth, as numbers on images that nothing was fitted on.</summary>
internal sealed class EvaluateVerb : Verb
{
    public EvaluateVerb()
        : base("evaluate", "Says what an encoder is worth: probes on frozen features, beside baselines.")
    {
        Verb[] tasks =
        [
            new KnnVerb(), new LinearVerb(), new LogisticVerb(), new RidgeVerb(), new LowShotVerb(), new FineTuneVerb(), new CountVerb(),
            new DistanceVerb(),
            new EvaluateCheckpointsVerb(), new EvaluateAgreementVerb(),
        ];
        foreach (var task in tasks) Add(task);
    }

    public override bool PrintsItsResult(ParseResult arguments) => true;

    /// <summary>Without a task: says which there are.</summary>
    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop) =>
        arguments.RootCommandResult.Command.Parse("evaluate --help").Invoke(
            new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error });
}
