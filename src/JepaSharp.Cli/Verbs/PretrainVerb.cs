using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Reports;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Reports;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using JepaSharp.Weights;
using TorchSharp;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa pretrain</c>: trains an encoder without labels and says what it learned.</summary>
internal sealed class PretrainVerb : Verb
{
    private readonly PretrainArguments.Options _arguments = new();

    public PretrainVerb()
        : base("pretrain", "Pretrains an encoder on images without labels. Without arguments: on built-in scenes, in a few minutes.") => _arguments.AddTo(this);

    public override string Finished => "the run is complete";

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var asked = _arguments.Read(arguments);
        using var init = asked.Init is { } path ? PretrainedWeights.Open(path) : null;
        var setup = asked.Resume ? Resumed(asked) : RunSetup.Of(asked.Config, asked.Data, asked.Overrides(), init);
        using var source = setup.Source;
        var options = setup.Options;
        // The output first: a place that cannot be written should not cost the time of everything before it.
        using var folder = asked.Resume ? RunFolder.Resume(asked.Out!) : RunFolder.Create(asked.Out ?? options.Logging.Folder ?? RunFolder.DefaultPath(options.Meta.ModelName));
        var device = TorchBackend.ChooseDevice(options.Meta.Device);
        var precision = TorchBackend.ChoosePrecision(PrecisionText(options.Meta.ResolvePrecision()), device);
        using var trainer = new Trainer(options, source, device, precision.ScalarType);
        var found = init is null ? [] : trainer.StartFrom(init);
        // Before the folder becomes a run: a mistake in the test images must not leave one behind.
        using var probe = OnlineProbe.For(options, source, device);
        IReadOnlyList<string> damage = [];
        if (asked.Resume) damage = trainer.Resume(folder);
        else trainer.Begin(folder, RunPaths.Whole(Lasting(options, asked)).ToYaml());
        if (asked.ChangesTheRun) folder.WriteConfig(RunPaths.Whole(RunSetup.OptionsOf(folder.Path, asked.Lasting())).ToYaml());

        // What is a run now can be gone on with, even if it is left before its first step.
        stop.Farewell = () => terminal.Error.WriteLine($"stopped after step {trainer.Step.State.StepCount:n0} of {trainer.TotalSteps:n0}; go on with: jepa pretrain --resume --out {folder.Path}");
        WriteMachine(RunMachine.Here(device.ToString(), precision.Name, source.Description, source.Count), folder, terminal);
        foreach (var reason in setup.Reasons) terminal.Error.WriteLine("chosen: " + reason);
        if (init is not null) terminal.Error.WriteLine($"beginning with {init.Path}");
        foreach (var finding in found) terminal.Error.WriteLine("  " + finding);
        terminal.Error.WriteLine($"training on {source.Description}, {DeviceText(device)}, {precision.Name} ({precision.Reason})");
        terminal.Error.WriteLine($"run folder {folder.Path}");
        foreach (var notice in damage.Concat(setup.Notes).Concat(trainer.Changes)) terminal.Error.WriteLine("note: " + notice);
        SourceNotes.Print(source, terminal);
        if (probe.Test is { } test) SourceNotes.Print(test, terminal);
        if (source is ScenesSource scenes) Render(scenes, terminal, stop);

        var history = new MeasureHistory(init is null && !asked.Resume ? "untrained" : "beginning");
        var records = asked.Resume ? RunRecords.Resume(folder, options.Logging, trainer.Objective.Numbers, trainer.Step.State.StepCount)
            : RunRecords.Create(folder, options.Logging, trainer.Objective.Numbers);
        using var observers = new TrainingObservers([.. records, history, new ConsoleProgress(terminal, asked.Quiet)]);
        if (asked.Resume) history.Remember(MeasuresCsv.Read(folder.Measures));
        foreach (var change in trainer.Changes)
            foreach (var record in records) record.OnWarning(trainer.Step.State.StepCount, change);
        using var announced = stop.Token.Register(() => observers.OnMessage("stopping after this step; press Ctrl-C again to leave at once"));
        using var monitors = RunMonitors.For(trainer, folder, source, device, observers);
        ITrainingObserver told = monitors is null ? observers : new TrainingObservers(observers, monitors.Observer);
        using var work = stop.WaitForWork(); // from here on a stop ends in a checkpoint
        if (trainer.Step.State.StepCount == 0) MeasureBeginning(trainer, probe, observers, stop);
        var end = trainer.Run(folder, told, encoder => probe.Measure(encoder, stop.Token), stop.Token);
        ReportUnreadable(trainer, folder, terminal);
        if (end.Outcome == RunOutcome.Stopped)
        {
            terminal.Error.WriteLine($"stopped after step {end.Step:n0} of {trainer.TotalSteps:n0}; go on with: jepa pretrain --resume --out {folder.Path}");
            return stop.ExitCode;
        }

        if (history.LastStep != end.Step) observers.OnMeasures((int)(end.Step / trainer.StepsPerEpoch), end.Step, probe.Measure(trainer.Objective.Encoder));
        if (monitors is not null) terminal.Error.WriteLine(FormattableString.Invariant($"of these, monitors took {monitors.Observer.Spent.TotalSeconds:F1} s, {100 * monitors.Observer.Spent / end.Elapsed:F1} %"));
        history.Table().Print(terminal);
        if (asked.Profile) TimeProfile.Print(trainer.Step.Clock, end.Elapsed, terminal);
        WriteReport(folder, terminal, stop);
        PrintPaths(folder, terminal);
        return ExitCode.Done;
    }

    /// <summary>What a resume goes on with: --max-steps ends this process, not the run.</summary>
    private static PretrainOptions Lasting(PretrainOptions options, PretrainArguments asked) => asked.MaxSteps is null
        ? options
        : options with { Optimization = options.Optimization with { MaxSteps = null } };

    private static RunSetup Resumed(PretrainArguments asked)
    {
        if (asked.Config is not null)
        {
            throw new JepaException(
                $"--resume goes on with the configuration in {asked.Out}; CONFIG cannot be given with it. Change single keys with --set.",
                isUsage: true);
        }

        if (!RunFolder.HoldsRun(asked.Out!))
            throw new JepaException($"There is no run to resume in {Path.GetFullPath(asked.Out!)}: it holds no config.yaml. Give the folder of an earlier run.", isUsage: true);
        var config = Path.Combine(asked.Out!, "config.yaml");
        if (new FileInfo(config).Length == 0)
            throw new JepaException($"{Path.GetFullPath(config)} is empty, so what to train on is not known. Write the run's configuration back, and resume again.", isUsage: true);
        return RunSetup.OfRun(asked.Out!, asked.Lasting().Concat(asked.Overrides()), given: asked.Data is not null);
    }

    private static void Render(ScenesSource scenes, Terminal terminal, StopSignals stop)
    {
        var progress = new CountProgress(terminal, "rendering scenes", scenes.Count);
        scenes.RenderAll(Environment.ProcessorCount, progress, stop.Token);
        progress.Finish();
    }

    private static void MeasureBeginning(Trainer trainer, OnlineProbe probe, TrainingObservers observers, StopSignals stop)
    {
        try
        {
            observers.OnMeasures(0, 0, probe.Measure(trainer.Objective.Encoder, stop.Token));
        }
        catch (OperationCanceledException)
        {
            // Measured when the run is gone on with; where it stands, the run itself says.
        }
    }

    /// <summary>A paragraph of the report: where it cannot be written, training goes on.</summary>
    private static void WriteMachine(RunMachine machine, RunFolder folder, Terminal terminal)
    {
        try
        {
            machine.Write(folder.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            terminal.Error.WriteLine($"note: {RunMachine.FileName} cannot be written: {e.Message} The report will not say where the run took place.");
        }
    }

    private static void ReportUnreadable(Trainer trainer, RunFolder folder, Terminal terminal)
    {
        if (trainer.Unreadable.Count == 0) return;
        var path = Path.Combine(folder.Path, UnreadableReport.FileName);
        try
        {
            UnreadableReport.Write(path, trainer.Unreadable);
            terminal.Error.WriteLine($"{trainer.Unreadable.Count} images could not be read and were left out; which and why: {path}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            terminal.Error.WriteLine($"{trainer.Unreadable.Count} images could not be read and were left out; the list of them cannot be written: {e.Message}");
        }
    }

    /// <summary>A page that cannot be written must not make a finished run a failed one.</summary>
    private static void WriteReport(RunFolder folder, Terminal terminal, StopSignals stop)
    {
        try
        {
            WrittenReport.Write(folder.Path, null, null, terminal, stop.Token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JepaException or OperationCanceledException)
        {
            terminal.Error.WriteLine($"the report could not be written: {e.Message} Try again: jepa report {folder.Path}");
        }
    }

    private static void PrintPaths(RunFolder folder, Terminal terminal)
    {
        terminal.Out.WriteLine();
        foreach (var (what, path) in new[]
        {
            ("encoder and predictor", Path.Combine(folder.LatestCheckpoint, "weights.safetensors")),
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

    private static string PrecisionText(Precision precision) => precision switch
    {
        Precision.Fp32 => "fp32",
        Precision.Bf16 => "bf16",
        _ => "auto",
    };

    private static string DeviceText(torch.Device device) => device.type == DeviceType.CUDA ? device.ToString() : "CPU";
}
