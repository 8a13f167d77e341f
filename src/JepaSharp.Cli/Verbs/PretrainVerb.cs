using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Training.Progress;
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
        var setup = asked.Resume ? Resumed(asked) : RunSetup.Of(asked.Config, asked.Data, asked.Overrides());
        using var source = setup.Source;
        var options = setup.Options;
        var device = TorchBackend.ChooseDevice(options.Meta.Device);
        var precision = TorchBackend.ChoosePrecision(PrecisionText(options.Meta.ResolvePrecision()), device);

        using var trainer = new Pretrainer(options, source, device, precision.ScalarType);
        using var folder = asked.Resume ? RunFolder.Resume(asked.Out!) : RunFolder.Create(asked.Out ?? options.Logging.Folder ?? RunFolder.DefaultPath(options.Meta.ModelName));
        if (asked.Resume) trainer.Restore(CheckpointStore.Newest(folder));
        else File.WriteAllText(folder.Config, options.ToYaml());

        foreach (var reason in setup.Reasons) terminal.Error.WriteLine("chosen: " + reason);
        terminal.Error.WriteLine($"training on {source.Description}, {DeviceText(device)}, {precision.Name} ({precision.Reason})");
        terminal.Error.WriteLine($"run folder {folder.Path}");
        if (source is ScenesSource scenes) Render(scenes, terminal, stop);

        using var probe = OnlineProbe.For(options, source, device, terminal, stop);
        var history = new MeasureHistory();
        using var records = RunRecords.Open(folder, trainer.Step.StepCount, options.Logging.Tensorboard);
        var observers = new TrainingObservers(records, history, new ConsoleProgress(terminal, asked.Quiet));
        if (!asked.Resume) observers.OnMeasures(0, 0, probe.Measure(trainer.Objective.TargetEncoder));
        var end = trainer.Run(folder, observers, probe.Measure, stop.Token);
        if (end.Outcome == RunOutcome.Stopped)
        {
            terminal.Error.WriteLine($"stopped after step {end.Step:n0} of {trainer.TotalSteps:n0}; go on with: jepa pretrain --resume --out {folder.Path}");
            return stop.ExitCode;
        }

        if (history.LastStep != end.Step) observers.OnMeasures(trainer.EpochsDone, end.Step, probe.Measure(trainer.Objective.TargetEncoder));
        history.Table().Print(terminal);
        PrintPaths(folder, terminal);
        return ExitCode.Done;
    }
}
