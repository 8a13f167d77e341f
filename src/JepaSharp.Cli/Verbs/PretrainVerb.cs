using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Ranks;
using JepaSharp.Cli.Reports;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Objectives;
using JepaSharp.Runs;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using JepaSharp.Weights;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa pretrain</c>: trains an encoder without labels and says what it learned.</summary>
internal sealed class PretrainVerb : Verb
{
    private readonly PretrainArguments.Options _arguments = new();

    public PretrainVerb()
        : base("pretrain", "Pretrains an encoder on images without labels. Without arguments: on built-in scenes, in a few minutes.") =>
            _arguments.AddTo(this);

    public override string Finished => "the run is complete";

    public override bool SharesItsWork => true;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var asked = _arguments.Read(arguments);
        if (asked.DryRun) RankedWork.RequireOne("jepa pretrain --dry-run");
        return RankedWork.Run((ranks, own) => ranks.IsFirst ? Lead(asked, ranks, own, stop) : Follow(ranks, stop), terminal, stop);
    }

    /// <summary>On the first rank, or in the only process.</summary>
    private static int Lead(PretrainArguments asked, Collective ranks, Terminal terminal, StopSignals stop)
    {
        using var init = asked.Init is { } path ? PretrainedWeights.Open(path) : null;
        if (asked.DryRun) return Try(asked, init, terminal, stop);
        using var run = asked.Resume ? Resumed(asked, ranks) : Begun(asked, init, ranks);
        var (trainer, folder) = (run.Trainer, run.Folder);
        string Stopped() =>
            $"stopped after step {trainer.Step.State.StepCount:n0} of {trainer.TotalSteps:n0}; go on with: jepa pretrain --resume --out "
                + $"{folder.Path}";
        // What is a run now can be gone on with, even if it is left before its first step.
        stop.Farewell = () => terminal.Error.WriteLine(Stopped());
        foreach (var line in run.Opening) terminal.Error.WriteLine(line);
        SourceNotes.Print(run.Source, terminal);
        if (run.Test is { } test) SourceNotes.Print(test, terminal);
        if (run.Source is ScenesSource scenes) Render(scenes, terminal, stop);

        var history = new MeasureHistory(init is null && !asked.Resume ? "untrained" : "beginning");
        if (asked.Resume) history.Remember(MeasuresCsv.Read(folder.Measures));
        var progress = new ConsoleProgress(terminal, asked.Quiet);
        using var announced = stop.Token.Register(() => progress.OnMessage("stopping; press Ctrl-C again to leave at once"));
        using var work = stop.WaitForWork(); // from here on a stop ends in a checkpoint
        var end = run.Train([history, progress], stop.Token);
        if (end.Outcome == RunOutcome.Stopped)
        {
            terminal.Error.WriteLine(Stopped());
            // Where another rank was asked to stop, that one knows by which signal.
            return stop.Token.IsCancellationRequested ? stop.ExitCode : ExitCode.Done;
        }

        if (run.MonitorTime > TimeSpan.Zero)
            terminal.Error.WriteLine(FormattableString.Invariant(
                $"of these, monitors took {run.MonitorTime.TotalSeconds:F1} s, {100 * run.MonitorTime / end.Elapsed:F1} %"));
        if (RunCost.Of(MetricsCsv.Read(folder.Metrics)).Operations is { } operations)
            terminal.Error.WriteLine(FormattableString.Invariant($"floating-point operations of all steps: {operations:0.000e0}"));
        if (history.LastStep >= 0) history.Table().Print(terminal);
        if (asked.Profile) TimeProfile.Print(trainer.Step.Clock, end.Elapsed, terminal);
        WriteReport(run, terminal, stop);
        PrintPaths(folder, trainer.Objective, terminal);
        return ExitCode.Done;
    }

    /// <summary>On the other ranks, which end when the first is done with everything.</summary>
    private static int Follow(Collective ranks, StopSignals stop)
    {
        using var work = stop.WaitForWork();
        using var run = FollowedRun.Of(ranks);
        return run.Train(stop.Token).Outcome == RunOutcome.Stopped && stop.Token.IsCancellationRequested ? stop.ExitCode : ExitCode.Done;
    }

    private static int Try(PretrainArguments asked, PretrainedWeights? init, Terminal terminal, StopSignals stop)
    {
        var setup = RunSetup.Of(asked.Config, asked.Data, asked.Overrides(), init, asked.Time, asked.AsPublished);
        using var source = setup.Source;
        foreach (var line in setup.Reasons.Select(r => "chosen: " + r).Concat(setup.Notes.Select(n => "note: " + n))) terminal.Error.WriteLine(line);
        SourceNotes.Print(source, terminal);
        var tried = Runs.DryRun.Of(setup, stop.Token);
        foreach (var line in tried.Asked) terminal.Error.WriteLine(line);
        DryRunReport.Print(tried, setup.Options, terminal);
        return ExitCode.Done;
    }

    /// <summary>--max-steps ends this process, not the run: the folder keeps the configuration without it.</summary>
    private static PretrainRun Begun(PretrainArguments asked, PretrainedWeights? init, Collective ranks)
    {
        var setup = RunSetup.Of(asked.Config, asked.Data, asked.Overrides(), init, asked.Time, asked.AsPublished, ranks.Size);
        var kept = asked.MaxSteps is null ? setup.Options : setup.Options with
        {
            // Schedules that are laid out over steps want an end, and it is not this process's.
            Optimization = setup.Options.Optimization with { MaxSteps = setup.Options.Optimization.ScheduleSteps },
        };
        return PretrainRun.Start(setup, asked.Out, init, kept: kept, ranks: ranks);
    }

    private static PretrainRun Resumed(PretrainArguments asked, Collective ranks)
    {
        if (asked.Config is not null)
        {
            throw new JepaException(
                $"--resume goes on with the configuration in {asked.Out}; CONFIG cannot be given with it. Change single keys with --set.",
                isUsage: true);
        }

        return PretrainRun.Resume(asked.Out!, [.. asked.Lasting()], [.. asked.Overrides()], given: asked.Data is not null, ranks: ranks);
    }

    private static void Render(ScenesSource scenes, Terminal terminal, StopSignals stop)
    {
        var progress = new CountProgress(terminal, "rendering scenes", scenes.Count);
        scenes.RenderAll(RankCores.Count, progress, stop.Token);
        progress.Finish();
    }

    /// <summary>A page that cannot be written must not make a finished run a failed one.</summary>
    private static void WriteReport(PretrainRun run, Terminal terminal, StopSignals stop)
    {
        try
        {
            WrittenReport.Write(run.Folder.Path, null, null, terminal, run.ImagesForAReport, handsOver: true, stop.Token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JepaException or OperationCanceledException)
        {
            terminal.Error.WriteLine($"the report could not be written: {e.Message} Try again: jepa report {run.Folder.Path}");
        }
    }

    private static void PrintPaths(RunFolder folder, Objective objective, Terminal terminal)
    {
        var handedOver = Path.Combine(folder.BestCheckpoint, "weights.safetensors");
        var weights = objective is ImageJepa
            ? "encoder and predictor"
            : Listed([.. objective.Networks.Where(n => n.IsSaved).Select(n => n.Title)]);
        terminal.Out.WriteLine();
        foreach (var (what, path) in new[]
        {
            (weights, File.Exists(handedOver) ? handedOver : Path.Combine(folder.LatestCheckpoint, "weights.safetensors")),
            ("metrics of every step", folder.Metrics),
            ("measures", folder.Measures),
            ("configuration", folder.Config),
            ("what went wrong", folder.Warnings),
            ("report, for a browser", folder.Report),
        }.Where(p => File.Exists(p.Item2)))
        {
            terminal.Out.WriteLine($"{what,-22} {Path.GetRelativePath(Directory.GetCurrentDirectory(), path)}");
        }
    }

    private static string Listed(IReadOnlyList<string> names) =>
        names.Count < 2 ? string.Concat(names) : $"{string.Join(", ", names.SkipLast(1))} and {names[^1]}";
}
