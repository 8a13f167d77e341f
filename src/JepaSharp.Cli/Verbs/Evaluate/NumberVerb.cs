using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Evaluation;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary>A task that reads a number out of frozen features: as a number, by ridge regression, and, where it has classes, as a class, by the linear probe.</summary>
internal abstract class NumberVerb : Verb
{
    private readonly EvaluationArguments _arguments = new("both");
    private readonly LinearOptionsGroup _linear = new();
    private readonly Option<string> _column;

    protected NumberVerb(string name, string column, string description)
        : base(name, description)
    {
        _column = new Option<string>("--column") { Description = "The column of numbers to predict.", DefaultValueFactory = _ => column, HelpName = "NAME" };
        Add(_column);
        _arguments.AddTo(this);
        _linear.AddTo(this);
    }

    public override bool PrintsItsResult(ParseResult arguments) => !_arguments.HasFile(arguments);

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var request = _arguments.Read(arguments);
        var linear = _linear.Read(arguments, request.Seed);
        var ridge = new RidgeOptions { Seed = request.Seed };
        using var session = new EvaluationSession(request, _arguments.Weights, arguments, squash: true, terminal, stop);
        var column = arguments.GetValue(_column)!;
        var numbers = new MatchedNumbers(ColumnNumbers.Of(session.Images.Fit, column), ColumnNumbers.Of(session.Images.Test, column));
        var classes = Classes(numbers, column, session.Images);
        var task = LinearModelTask.Linear(linear);
        var report = new EvaluationReport(Name, session, new { Column = column, Classes = classes is null ? null : linear, Numbers = ridge }, classes?.Notes ?? []);
        report.Announce(terminal);
        var features = session.Features();
        if (classes is not null)
        {
            report.Add(ProbeRows.Of(task, features, classes, request.Baselines, terminal, stop));
            report.AddClasses(classes.Names);
        }

        report.Add(FeatureChoice.Mark([.. features.Select(pair => Regressed(pair, numbers, ridge, terminal, stop))]));
        report.Finish(terminal);
        return ExitCode.Done;
    }

    private static ResultRow Regressed(FeaturePair pair, MatchedNumbers numbers, RidgeOptions options, Terminal terminal, StopSignals stop)
    {
        stop.Token.ThrowIfCancellationRequested();
        terminal.Error.WriteLine($"ridge regression on {pair.Name}");
        return RegressionTask.Run(new NumberedFeatures(pair.Name, numbers.FitSet(pair.Fit), numbers.TestSet(pair.Test), pair.IsBaseline), options);
    }

    private static MatchedClasses? Classes(MatchedNumbers numbers, string column, EvaluationImages images)
    {
        var areScenes = IsOfScenes(images.Fit) && IsOfScenes(images.Test);
        return ClassTexts.Numbers(numbers.Fit, column, areScenes) is { } fit && ClassTexts.Numbers(numbers.Test, column, areScenes) is { } test
            ? MatchedClasses.Of(fit, test, areNumbers: true)
            : null;
    }

    private static bool IsOfScenes(ImageSource source) => source is ScenesSource or ClevrImages || source.Columns.SequenceEqual(["count", "distance"]);
}

/// <summary><c>jepa evaluate count</c>.</summary>
internal sealed class CountVerb() : NumberVerb("count", "count", "How many objects there are, as VTAB's Clevr/Count: from scenes, or from any column of numbers.");

/// <summary><c>jepa evaluate distance</c>.</summary>
internal sealed class DistanceVerb() : NumberVerb("distance", "distance", "How far the nearest object is, as VTAB's Clevr/Distance: from scenes, or from any column of numbers.");
