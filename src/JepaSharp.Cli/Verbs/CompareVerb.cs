using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Studies;
using JepaSharp.Runtime;
using JepaSharp.Studies;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa compare</c>: variants of a configuration at equal cost.</summary>
internal sealed class CompareVerb : Verb
{
    private readonly Argument<string> _study = new("STUDY") { Description = "A YAML file: base, data, seeds, budget, variants, evaluate." };
    private readonly Option<string?> _out = new("--out")
    {
        Description = "The study's folder, where everything of it is kept; studies/NAME if not given.",
        HelpName = "FOLDER",
    };
    private readonly Option<string?> _data = new("--data")
    {
        Description = "Where the study's relative paths of images begin; its own folder, or the current one, if not given.",
        HelpName = "FOLDER",
    };
    private readonly Option<string?> _device = new("--device")
    {
        Description = "auto, cpu, cuda or cuda:N, in place of the configuration's.",
        HelpName = "DEVICE",
    };
    private readonly Option<int> _parallel = new("--parallel")
    {
        Description = "Make so many runs at a time, each a process with its share of the cores.",
        DefaultValueFactory = _ => 1,
        HelpName = "N",
    };
    private readonly Option<string?> _only = new("--only")
    {
        Description = "Make this run alone, as on another machine: its record counts wherever it is copied to.",
        HelpName = "VARIANT/SEED",
    };
    private readonly Option<bool> _again = new("--again")
    {
        Description = "Make here what is recorded beside the study, too (records/NAME beside its file).",
    };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Say what would be run and how long it would take. Writes nothing." };
    private readonly Option<bool> _worker = new("--worker") { Description = "Stop when standard input ends.", Hidden = true };

    public CompareVerb()
        : base("compare", "Compares variants of a configuration at equal cost: trains what is missing, evaluates, and writes a table and a page.")
    {
        Add(_study);
        foreach (var option in (Option[])[_out, _data, _device, _parallel, _only, _again, _dryRun, _worker]) Add(option);
        _parallel.RequireAtLeast(1);
    }

    public override string Finished => "the study is complete";

    public override bool PrintsItsResult(ParseResult arguments) => arguments.GetValue(_dryRun);

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var (isWorker, parallel) = (arguments.GetValue(_worker), arguments.GetValue(_parallel));
        if (isWorker) stop.WhenInputEnds();
        var study = Study.Read(arguments.GetValue(_study)!);
        using var plan = StudyPlan.Of(study, arguments.GetValue(_data), arguments.GetValue(_device));
        var folder = arguments.GetValue(_out) ?? Path.Combine("studies", study.Name);
        var runner = StudyRunner.Open(plan, folder, countsKept: !arguments.GetValue(_again));
        if (!isWorker) SayKept(runner, terminal);
        IReadOnlyList<PlannedRun> runs = arguments.GetValue(_only) is { } only ? [plan.Find(only)] : plan.Runs;
        if (arguments.GetValue(_dryRun))
        {
            StudyPlanReport.Print(runner, runs, parallel, terminal, stop.Token);
            return ExitCode.Done;
        }

        // Runs of one study side by side are this process's own, or given by hand one by one.
        using var claim = isWorker || runs.Count == 1 ? null : Claim(runner.Folder);
        stop.Farewell = () => terminal.Error.WriteLine(Stopped(arguments));
        List<PlannedRun> missing = [.. runs.Where(r => !runner.Records.ContainsKey(r.Key))];
        terminal.Error.WriteLine(FormattableString.Invariant($"{runs.Count - missing.Count} of {runs.Count} runs are done; {runner.Folder}"));
        var failures = parallel > 1 && missing.Count > 1
            ? new ParallelRuns(
                runner, parallel, study.Path, arguments.GetValue(_data), arguments.GetValue(_device), arguments.GetValue(_again))
                .Make(missing, terminal, stop)
            : new TurnedRuns(runner).Make(missing, terminal, stop);
        if (!isWorker) Show(runner, terminal);
        if (stop.Token.IsCancellationRequested)
        {
            terminal.Error.WriteLine(Stopped(arguments));
            return stop.ExitCode;
        }

        if (failures.Count == 0) return ExitCode.Done;
        throw new JepaException($"{failures.Count} runs failed; the others are done:\n{string.Join('\n', failures.Select(f => "  " + f))}");
    }

    private static void SayKept(StudyRunner runner, Terminal terminal)
    {
        if (runner.Kept.Count > 0)
            terminal.Error.WriteLine(
                $"{runner.Kept.Count} of {runner.Plan.Runs.Count} runs are recorded beside the study ({runner.KeptFolder}); --again makes them here");
        if (runner.KeptOfOthers.Count == 0) return;
        var verb = runner.KeptOfOthers.Count == 1 ? "does" : "do";
        terminal.Error.WriteLine(
            $"{Quantity.Of(runner.KeptOfOthers.Count, "record")} beside the study {verb} not count, being of other settings or images:");
        foreach (var line in runner.KeptOfOthers) terminal.Error.WriteLine("  " + line);
    }

    private static OutputLock Claim(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{folder} cannot be written: {e.Message} Give a folder that you may write to (--out).", inner: e);
        }

        return OutputLock.TryTake(Path.Combine(folder, ".lock"), stays: true)
            ?? throw new JepaException(
                $"Another process is making the study in {folder} at this moment. Wait for it, stop it, or give another --out.");
    }

    private string Stopped(ParseResult arguments) =>
        $"stopped; what is done is kept, and the same command goes on: jepa compare {arguments.GetValue(_study)}"
        + (arguments.GetValue(_out) is { } folder ? $" --out {folder}" : "");

    private static void Show(StudyRunner runner, Terminal terminal)
    {
        var table = new StudyTable(runner);
        var shown = new ResultTable(
            $"{runner.Plan.Study.Name}: {runner.Plan.Study.Budget} a run, on {runner.Plan.Study.ScoredOn}",
            ["variant", "runs", .. table.Evaluations.Select(e => $"{e.Name} {e.Metric}"), "steps", "operations", "minutes"]);
        foreach (var row in table.Rows)
            shown.Add([
                row.Name, row.Runs == row.Planned ? Text($"{row.Runs}") : Text($"{row.Runs} of {row.Planned}"),
                .. row.Scores.Select((s, i) => StudyTable.Text(s, table.Evaluations[i].Metric)), Text($"{row.Steps:n0}"),
                row.Operations is { } operations ? Text($"{operations:0.00e0}") : "not counted", Text($"{row.Seconds / 60:F2}")]);
        var page = table.Write();
        shown.Print(terminal);
        foreach (var note in table.Notes) terminal.Out.WriteLine(note);
        terminal.Out.WriteLine($"page  {Path.GetRelativePath(Directory.GetCurrentDirectory(), page)}");
    }

    private static string Text(FormattableString text) => text.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
