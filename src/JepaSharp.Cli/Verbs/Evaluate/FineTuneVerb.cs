using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Evaluation;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary><c>jepa evaluate fine-tune</c>.</summary>
internal sealed class FineTuneVerb : Verb
{
    private readonly EvaluationArguments _arguments = new("last", baselines: false, runs: true);
    private readonly FineTuneOptionsGroup _tuning = new();

    public FineTuneVerb()
        : base(
            "fine-tune", "Trains the encoder further on the labels, with a linear head: layer-wise learning rates, mixup, CutMix, averaged weights.")
    {
        _arguments.AddTo(this, ownBatch: true);
        _tuning.AddTo(this);
    }

    public override bool PrintsItsResult(ParseResult arguments) => !_arguments.HasFile(arguments);

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var request = _arguments.Read(arguments);
        var options = _tuning.Read(arguments, request.Seed);
        using var session = new EvaluationSession(request, _arguments.Weights, arguments, squash: false, terminal, stop);
        var classes = MatchedClasses.Of(ClassTexts.Labels(session.Images.Fit), ClassTexts.Labels(session.Images.Test));
        var (fit, test) = (classes.FitImages(session.Images.Fit), classes.TestImages(session.Images.Test));
        var report = new EvaluationReport(Name, session, options, classes.Notes);
        EvaluationReport.Announce(Name, session, terminal);
        session.Notes.AddRange(classes.NotesOnRead(session.Images.Fit, session.Images.Test, session.Transform, stop.Token));
        using var folder = FolderOf(request);
        if (folder is not null) terminal.Error.WriteLine($"run folder {folder.Path}");
        try
        {
            var name = $"{session.Loaded.Name} encoder";
            report.Add(FeatureChoice.Mark(
                [FineTuneRow.Of(session, session.Loaded.Encoder, name, fit, test, options, holdOut: false, terminal, stop, folder)]));
            if (request.Baselines)
            {
                using var fresh = session.Untrained();
                report.Add([FineTuneRow.Of(session, fresh, "untrained encoder", fit, test, options, holdOut: false, terminal,
                    stop) with { Kind = FeatureKind.Untrained }]);
            }
        }
        catch (OperationCanceledException) when (folder is not null && stop.Token.IsCancellationRequested)
        {
            terminal.Error.WriteLine($"stopped; the same command with --resume goes on with {folder.Path}");
            return stop.ExitCode;
        }

        report.AddClasses(classes.Names);
        report.Finish(terminal);
        if (folder is not null)
            terminal.Error.WriteLine(
                $"encoder and head: {Path.Combine(folder.LatestCheckpoint, "weights.safetensors")}; the run as a page: jepa report {folder.Path}");
        return ExitCode.Done;
    }

    private static RunFolder? FolderOf(EvaluationRequest request) =>
        request.Run is not { } path ? null : request.IsResumed ? RunFolder.Resume(path) : RunFolder.Create(path);
}

/// <summary>The options of fine-tuning.</summary>
/// <param name="prefix">Before each name, where the verb has others of the same: "--fine-tune-".</param>
internal sealed class FineTuneOptionsGroup(string prefix = "--")
{
    private readonly Option<int?> _epochs = new(prefix + "epochs")
    {
        Description = "Passes over the images of fine-tuning; 50 if not given.",
        HelpName = "N",
    };
    private readonly Option<double?> _rate = new(prefix + "lr")
    {
        Description = "Peak learning rate of fine-tuning, for batches of 256; 1e-3 if not given.",
        HelpName = "RATE",
    };
    private readonly Option<double?> _layerDecay = new(prefix + "layer-decay")
    {
        Description = "Each layer's learning rate as a share of the next one's; 0.75 if not given.",
        HelpName = "SHARE",
    };
    private readonly Option<int?> _batch = new(prefix + "batch") { Description = "Images a step of fine-tuning; 64 if not given.", HelpName = "N" };
    private readonly Option<int?> _accumulate = new(prefix + "accumulate")
    {
        Description = "Batches a step of fine-tuning, their gradients averaged; 1 if not given.",
        HelpName = "N",
    };
    private readonly Option<double?> _clip = new(prefix + "clip")
    {
        Description = "Largest norm of fine-tuning's gradient; none if not given.",
        HelpName = "NORM",
    };
    private readonly Option<int?> _skip = new(prefix + "skip-non-finite")
    {
        Description = "Steps in a row that are skipped where numbers are not finite; 0 if not given.",
        HelpName = "N",
    };
    private readonly Option<bool> _noFlip = new(prefix + "no-flip") { Description = "Do not mirror images: where left and right matter." };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_epochs, _rate, _layerDecay, _batch, _accumulate, _clip, _skip, _noFlip]) command.Add(option);
        _epochs.RequireAtLeast(1);
        _batch.RequireAtLeast(2);
        _accumulate.RequireAtLeast(1);
        _skip.RequireAtLeast(0);
    }

    /// <exception cref="JepaException">A number is out of range.</exception>
    public FineTuneOptions Read(ParseResult arguments, ulong seed)
    {
        var options = new FineTuneOptions { Seed = (int)seed, Flip = !arguments.GetValue(_noFlip), Clip = arguments.GetValue(_clip) };
        if (arguments.GetValue(_epochs) is { } epochs) options = options with { Epochs = epochs };
        if (arguments.GetValue(_rate) is { } rate) options = options with { LearningRate = rate };
        if (arguments.GetValue(_layerDecay) is { } decay) options = options with { LayerDecay = decay };
        if (arguments.GetValue(_batch) is { } batch) options = options with { BatchSize = batch };
        if (arguments.GetValue(_accumulate) is { } accumulate) options = options with { Accumulate = accumulate };
        if (arguments.GetValue(_skip) is { } skip) options = options with { SkipNonFinite = skip };
        if (!(options.LearningRate > 0)) throw new JepaException($"{prefix}lr: expected more than 0.", isUsage: true);
        if (!(options.Clip is null or > 0)) throw new JepaException($"{prefix}clip: expected more than 0.", isUsage: true);
        if (options.LayerDecay is not (> 0 and <= 1))
            throw new JepaException($"{prefix}layer-decay: expected more than 0 and at most 1.", isUsage: true);
        return options;
    }
}
