using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Reports;
using JepaSharp.Runs;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Progress;

namespace JepaSharp.Studies;

/// <summary>What a training cost and how it was laid out.</summary>
/// <param name="Cost">Of all its steps.</param>
/// <param name="Precision">fp32 or bf16.</param>
/// <param name="Notes">How its steps were found, where they were measured.</param>
internal sealed record StudyTrained(RunCost Cost, string Precision, IReadOnlyList<string> Notes);

/// <summary>Trains one run of a study to the end of its budget: begins it, goes on with it, or finds it done.</summary>
internal sealed class StudyTraining(StudyRunner runner, PlannedRun run)
{
    private const string NotesFile = "layout.txt";

    private readonly string _folder = runner.RunFolderOf(run);
    private readonly TimeSpan? _limit =
        runner.Plan.Study.Budget is { Unit: BudgetUnit.Minutes, Amount: var time } ? TimeSpan.FromMinutes(time) : null;

    /// <summary>A run's options, laid out over so many steps.</summary>
    public static PretrainOptions Laid(PlannedRun run, long steps)
    {
        var options = StudySchedule.Laid(run.Variant.Options, run.Variant.StepsPerEpoch, steps);
        return options with { Meta = options.Meta with { Seed = run.Seed } };
    }

    /// <summary>Trains.</summary>
    /// <inheritdoc cref="StudyRunner.Make"/>
    public StudyTrained Train(IReadOnlyList<ITrainingObserver> listeners, Action<string> say, CancellationToken stop)
    {
        if (!RunFolder.HoldsRun(_folder)) Begin(listeners, say, stop);
        while (Continue(listeners, say, stop))
        {
        }

        var notes = Path.Combine(_folder, NotesFile);
        return new StudyTrained(
            RunCost.Of(MetricsCsv.Read(Path.Combine(_folder, "metrics.csv"))),
            RunMachine.Read(Path.Combine(_folder, RunMachine.FileName))?.Precision ?? "not known",
            File.Exists(notes) ? File.ReadAllLines(notes) : []);
    }

    private void Begin(IReadOnlyList<ITrainingObserver> listeners, Action<string> say, CancellationToken stop)
    {
        string? note = null;
        if (run.Variant.Steps is not { } steps)
        {
            var (time, source) = runner.TimeOfStep(run.Variant, stop);
            steps = Math.Max(1, runner.MinutesOver(time));
            note = FormattableString.Invariant(
                $"a step took {time.TotalSeconds:F4} s ({source}): laid out over {steps:n0} steps for {runner.Plan.Study.Budget}");
            say($"{run.Key}: {note}");
        }

        var setup = RunSetup.Of(Laid(run, steps));
        using var begun = PretrainRun.Start(setup, _folder);
        if (note is not null) File.AppendAllLines(Path.Combine(_folder, NotesFile), [note]);
        _ = Go(begun, listeners, say, stop);
    }

    /// <summary>Goes on with the run where steps are left of it.</summary>
    /// <returns>Whether there may still be some: it was laid out anew.</returns>
    private bool Continue(IReadOnlyList<ITrainingObserver> listeners, Action<string> say, CancellationToken stop)
    {
        using var resumed = PretrainRun.Resume(_folder);
        return resumed.Trainer.Step.State.StepCount < resumed.Trainer.TotalSteps && Go(resumed, listeners, say, stop);
    }

    /// <summary>Trains a run that is open.</summary>
    /// <returns>Whether it was laid out anew, and has to be opened again.</returns>
    private bool Go(PretrainRun open, IReadOnlyList<ITrainingObserver> listeners, Action<string> say, CancellationToken stop)
    {
        if (open.Source is ScenesSource scenes) scenes.RenderAll(Environment.ProcessorCount, cancellation: stop);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var before = RunCost.Of(MetricsCsv.Read(open.Folder.Metrics)
            .Where(row => row.Step <= open.Trainer.Step.State.StepCount)).Time;
        var watch = _limit is { } limit ? new BudgetWatch(limit, before, open.Trainer.TotalSteps, ending.Cancel) : null;
        say(string.Create(CultureInfo.InvariantCulture,
            $"{run.Key}: training, steps {open.Trainer.Step.State.StepCount + 1:n0} to {open.Trainer.TotalSteps:n0}"));
        var end = open.Train([.. listeners, .. watch is null ? (ITrainingObserver[])[] : [watch]], ending.Token);
        if (end.Outcome == RunOutcome.Completed) return false;
        stop.ThrowIfCancellationRequested();
        if (watch?.Better is not { } better)
            throw new JepaException($"{run.Key} ended after step {end.Step} of {open.Trainer.TotalSteps}, and nobody asked it to. Run it again.");
        var note = string.Create(CultureInfo.InvariantCulture,
            $"at step {end.Step:n0} of {open.Trainer.TotalSteps:n0} the rest of the time was worth another number: laid out over {better:n0}");
        say($"{run.Key}: {note}");
        var laid = StudySchedule.Ended(open.Trainer.Plan.Options, run.Variant.StepsPerEpoch, better);
        open.Folder.WriteConfig(RunPaths.Whole(laid).ToYaml());
        File.AppendAllLines(Path.Combine(_folder, NotesFile), [note]);
        return true;
    }
}
