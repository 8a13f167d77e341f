using System.CommandLine;
using JepaSharp.Cli.Display;
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
        var precision = TorchBackend.ChoosePrecision(options.Meta.ResolvePrecision(), device);
        using var trainer = new Pretrainer(options, source, device, precision.ScalarType);
        var found = init is null ? [] : trainer.StartFrom(init);
        // Before the folder becomes a run: a mistake in the test images must not leave one behind.
        using var probe = OnlineProbe.For(options, source, device);
        IReadOnlyList<string> damage = [];
        if (asked.Resume) damage = trainer.Resume(folder);
        else trainer.Begin(folder, Lasting(options, asked).ToYaml());

        RunMachine.Here(device.ToString(), precision.Name, source.Description, source.Count).Write(folder.Path);
        foreach (var reason in setup.Reasons) terminal.Error.WriteLine("chosen: " + reason);
        if (init is not null) terminal.Error.WriteLine($"beginning with {init.Path}");
        foreach (var finding in found) terminal.Error.WriteLine("  " + finding);
        terminal.Error.WriteLine($"training on {source.Description}, {DeviceText(device)}, {precision.Name} ({precision.Reason})");
        terminal.Error.WriteLine($"run folder {folder.Path}");
        foreach (var notice in damage.Concat(source.Notices)) terminal.Error.WriteLine("note: " + notice);
        if (source is ScenesSource scenes) Render(scenes, terminal, stop);

        var history = new MeasureHistory();
        var records = asked.Resume ? RunRecords.Resume(folder, options.Logging, trainer.Step.StepCount) : RunRecords.Create(folder, options.Logging);
        using var observers = new TrainingObservers([.. records, history, new ConsoleProgress(terminal, asked.Quiet)]);
        using var announced = stop.Token.Register(() => observers.OnMessage("stopping after this step; press Ctrl-C again to leave at once"));
        using var monitors = RunMonitors.For(trainer, folder, source, device, observers);
        ITrainingObserver told = monitors is null ? observers : new TrainingObservers(observers, monitors.Observer);
        if (trainer.Step.StepCount == 0) observers.OnMeasures(0, 0, probe.Measure(trainer.Objective.TargetEncoder));
        var end = trainer.Run(folder, told, encoder => probe.Measure(encoder), stop.Token);
        ReportUnreadable(trainer, folder, terminal);
        if (end.Outcome == RunOutcome.Stopped)
        {
            terminal.Error.WriteLine($"stopped after step {end.Step:n0} of {trainer.TotalSteps:n0}; go on with: jepa pretrain --resume --out {folder.Path}");
            return stop.ExitCode;
        }

        if (history.LastStep != end.Step) observers.OnMeasures((int)(end.Step / trainer.StepsPerEpoch), end.Step, probe.Measure(trainer.Objective.TargetEncoder));
        if (monitors is not null) terminal.Error.WriteLine(FormattableString.Invariant($"of these, monitors took {monitors.Observer.Spent.TotalSeconds:F1} s, {100 * monitors.Observer.Spent / end.Elapsed:F1} %"));
        history.Table().Print(terminal);
        if (asked.Profile) TimeProfile.Print(trainer.Objective.Clock, end.Elapsed, terminal);
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
        var stray = new (string Name, bool Given)[] { ("CONFIG", asked.Config is not null), ("--data", asked.Data is not null), ("--set", asked.Settings.Count > 0) }
            .Where(o => o.Given).Select(o => o.Name).ToList();
        if (stray.Count > 0)
            throw new JepaException($"--resume goes on with the configuration in {asked.Out}; {string.Join(" and ", stray)} cannot be given with it.", isUsage: true);
        if (!RunFolder.HoldsRun(asked.Out!))
            throw new JepaException($"There is no run to resume in {Path.GetFullPath(asked.Out!)}: it holds no config.yaml. Give the folder of an earlier run.", isUsage: true);
        var config = Path.Combine(asked.Out!, "config.yaml");
        if (new FileInfo(config).Length == 0)
            throw new JepaException($"{Path.GetFullPath(config)} is empty, so what to train on is not known. Write the run's configuration back, and resume again.", isUsage: true);
        return RunSetup.Of(config, null, asked.Overrides());
    }

    private static void Render(ScenesSource scenes, Terminal terminal, StopSignals stop)
    {
        var progress = new CountProgress(terminal, "rendering scenes", scenes.Count);
        scenes.RenderAll(Environment.ProcessorCount, progress, stop.Token);
        progress.Finish();
    }

    private static void ReportUnreadable(Pretrainer trainer, RunFolder folder, Terminal terminal)
    {
        if (trainer.Unreadable.Count == 0) return;
        var path = Path.Combine(folder.Path, UnreadableReport.FileName);
        UnreadableReport.Write(path, trainer.Unreadable);
        terminal.Error.WriteLine($"{trainer.Unreadable.Count} images could not be read and were left out; which and why: {path}");
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

    private static string DeviceText(torch.Device device) => device.type == DeviceType.CUDA ? device.ToString() : "CPU";
}
