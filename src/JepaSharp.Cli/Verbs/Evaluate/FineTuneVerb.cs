using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Evaluation;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Training;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary><c>jepa evaluate fine-tune</c>.</summary>
internal sealed class FineTuneVerb : Verb
{
    private readonly EvaluationArguments _arguments = new("last", baselines: false, runs: true);
    private readonly FineTuneOptionsGroup _tuning = new();

    public FineTuneVerb()
        : base("fine-tune", "Trains the encoder further on the labels, with a linear head: layer-wise learning rates, mixup, CutMix, averaged weights.")
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
        using var folder = FolderOf(request);
        var report = new EvaluationReport(Name, session, options, classes.Notes);
        report.Announce(terminal);
        if (folder is not null) terminal.Error.WriteLine($"run folder {folder.Path}");
        try
        {
            var name = $"{session.Loaded.Name} encoder";
            report.Add(FeatureChoice.Mark([FineTuneRow.Of(session, session.Loaded.Encoder, name, fit, test, options, holdOut: false, terminal, stop, folder)]));
            if (request.Baselines)
            {
                using var fresh = session.Untrained();
                report.Add([FineTuneRow.Of(session, fresh, "untrained encoder", fit, test, options, holdOut: false, terminal, stop) with { IsBaseline = true }]);
            }
        }
        catch (OperationCanceledException) when (folder is not null && stop.Token.IsCancellationRequested)
        {
            terminal.Error.WriteLine($"stopped; the same command with --resume goes on with {folder.Path}");
            return stop.ExitCode;
        }

        report.AddClasses(classes.Names);
        report.Finish(terminal);
        if (folder is not null) terminal.Error.WriteLine($"encoder and head: {Path.Combine(folder.LatestCheckpoint, "weights.safetensors")}; the run as a page: jepa report {folder.Path}");
        return ExitCode.Done;
    }

    private static RunFolder? FolderOf(EvaluationRequest request) =>
        request.Run is not { } path ? null : request.IsResumed ? RunFolder.Resume(path) : RunFolder.Create(path);
}
