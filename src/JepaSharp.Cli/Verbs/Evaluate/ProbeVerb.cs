using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Evaluation;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary>A task that names classes from frozen features: makes the features, runs the probe on each kind, and reports.</summary>
internal abstract class ProbeVerb : Verb
{
    private readonly EvaluationArguments _arguments;

    protected ProbeVerb(string name, string description, string defaultFeatures = "last")
        : base(name, description)
    {
        _arguments = new EvaluationArguments(defaultFeatures);
        _arguments.AddTo(this);
    }

    /// <summary>The probe that the options ask for.</summary>
    protected abstract ProbeTask Task(ParseResult arguments, ulong seed);

    public override bool PrintsItsResult(ParseResult arguments) => !_arguments.HasFile(arguments);

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var request = _arguments.Read(arguments);
        var task = Task(arguments, request.Seed);
        using var session = new EvaluationSession(request, _arguments.Weights, arguments, squash: false, terminal, stop);
        var classes = MatchedClasses.Of(ClassTexts.Labels(session.Images.Fit), ClassTexts.Labels(session.Images.Test));
        var report = new EvaluationReport(task.Name, session, task.Recipe, classes.Notes);
        report.Announce(terminal);
        report.Add(ProbeRows.Of(task, session.Features(), classes, request.Baselines, terminal, stop));
        session.Notes.AddRange(task.Notes);
        report.AddClasses(classes.Names);
        report.Finish(terminal);
        return ExitCode.Done;
    }
}
