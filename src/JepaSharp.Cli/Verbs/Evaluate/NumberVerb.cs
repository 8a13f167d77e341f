using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Evaluation;
using JepaSharp.Cli.Ranks;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary>A task that reads a number out of frozen features: as a number, by ridge regression, and, where it has classes, as a class, by the linear
/// probe.</summary>
internal abstract class NumberVerb : Verb
{
    private readonly EvaluationArguments _arguments = new("both");
    private readonly LinearOptionsGroup _linear = new();
    private readonly Option<string> _column;

    protected NumberVerb(string name, string column, string description)
        : base(name, description)
    {
        _column = new Option<string>("--column")
        {
            Description = "The column of numbers to predict.",
            DefaultValueFactory = _ => column,
            HelpName = "NAME",
        };
        Add(_column);
        _arguments.AddTo(this);
        _linear.AddTo(this);
    }

    public override bool PrintsItsResult(ParseResult arguments) => !_arguments.HasFile(arguments);

    public override bool SharesItsWork => true;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop) =>
        RankedWork.Run((ranks, own) => Run(arguments, ranks, own, stop), terminal, stop);

    private int Run(ParseResult arguments, Collective ranks, Terminal terminal, StopSignals stop)
    {
        var request = _arguments.Read(arguments);
        var linear = _linear.Read(arguments, request.Seed);
        var ridge = new RidgeOptions { Seed = request.Seed };
        using var session = new EvaluationSession(request, _arguments.Weights, arguments, squash: true, terminal, stop, ranks);
        if (!ranks.IsFirst) return session.Follow();
        var column = arguments.GetValue(_column)!;
        var numbers = new MatchedNumbers(ColumnNumbers.Of(session.Images.Fit, column), ColumnNumbers.Of(session.Images.Test, column));
        var classes = Classes(numbers, column, session.Images);
        var task = LinearModelTask.Linear(linear);
        var report = new EvaluationReport(
            Name, session, new { Column = column, Classes = classes is null ? null : linear, Numbers = ridge }, classes?.Notes ?? []);
        EvaluationReport.Announce(Name, session, terminal);
        var features = session.Features();
        if (classes is not null)
        {
            session.Notes.AddRange(classes.NotesOnRead(features[0].Fit, features[0].Test));
            report.Add(ProbeRows.Of(task, features, classes, request.Baselines, terminal, stop));
            report.AddClasses(classes.Names);
        }

        List<ResultRow> rows = [.. features.Select(pair => Regressed(pair, numbers, ridge, terminal, stop))];
        if (RawPixelRival.IsAhead(rows) && FeaturePair.SideBySide(features) is { } both) rows.Add(Regressed(both, numbers, ridge, terminal, stop));
        report.Add(FeatureChoice.Mark(rows));
        report.Finish(terminal);
        return ExitCode.Done;
    }

    private static ResultRow Regressed(FeaturePair pair, MatchedNumbers numbers, RidgeOptions options, Terminal terminal, StopSignals stop)
    {
        stop.Token.ThrowIfCancellationRequested();
        terminal.Error.WriteLine($"ridge regression on {pair.Name}");
        return RegressionTask.Run(new NumberedFeatures(pair.Name, numbers.FitSet(pair.Fit), numbers.TestSet(pair.Test), pair.Kind), options);
    }

    private static MatchedClasses? Classes(MatchedNumbers numbers, string column, EvaluationImages images)
    {
        var areScenes = IsOfScenes(images.Fit) && IsOfScenes(images.Test);
        return ClassTexts.Numbers(numbers.Fit, column, areScenes) is { } fit && ClassTexts.Numbers(numbers.Test, column, areScenes) is { } test
            ? MatchedClasses.Of(fit, test, areNumbers: true)
            : null;
    }

    private static bool IsOfScenes(ImageSource source) =>
        source is ScenesSource or ClevrImages || source.Columns.SequenceEqual(["count", "distance"]);
}

/// <summary><c>jepa evaluate count</c>.</summary>
internal sealed class CountVerb() : NumberVerb(
    "count", "count", "How many objects there are, as VTAB's Clevr/Count: from scenes, or from any column of numbers.");

/// <summary><c>jepa evaluate distance</c>.</summary>
internal sealed class DistanceVerb() : NumberVerb(
    "distance", "distance", "How far the nearest object is, as VTAB's Clevr/Distance: from scenes, or from any column of numbers.");

/// <summary><c>jepa evaluate linear</c>.</summary>
internal sealed class LinearVerb : ProbeVerb
{
    private readonly LinearOptionsGroup _linear = new();
    private readonly Option<string> _recipe = new("--recipe")
    {
        Description = "grid: SGD over a grid of learning rates and weight decays; mae: LARS as MAE publishes it, in batches of up to 16384.",
        DefaultValueFactory = _ => "grid",
        HelpName = "RECIPE",
    };

    public LinearVerb()
        : base("linear", "Batch norm and a linear layer on frozen features, trained by SGD over a grid of learning rates and weight decays.",
            defaultFeatures: "both")
    {
        _linear.AddTo(this);
        Add(_recipe);
        _recipe.AcceptOnlyFromAmong("grid", "mae");
    }

    protected override ProbeTask Task(ParseResult arguments, ulong seed)
    {
        var grid = _linear.Read(arguments, seed);
        if (arguments.GetValue(_recipe) == "grid") return LinearModelTask.Linear(grid);
        if (_linear.ChoosesAmong(arguments))
            throw new JepaException("--recipe mae takes one --lr and no --weight-decay: nothing is chosen in it.", isUsage: true);
        var options = new LarsOptions { Seed = seed };
        if (_linear.RateGiven(arguments) is { } rate) options = options with { LearningRate = rate };
        return LinearModelTask.Lars(_linear.EpochsGiven(arguments) is { } epochs ? options with { Epochs = epochs } : options);
    }
}

/// <summary><c>jepa evaluate knn</c>.</summary>
internal sealed class KnnVerb : ProbeVerb
{
    private readonly Option<int> _neighbours = new("--k") { Description = "Neighbours that vote.", DefaultValueFactory = _ => 20, HelpName = "N" };
    private readonly Option<double> _temperature = new("--temperature")
    {
        Description = "A neighbour at cosine s votes with exp(s / T).",
        DefaultValueFactory = _ => 0.07,
        HelpName = "T",
    };
    private readonly Option<bool> _raw = new("--no-centre")
    {
        Description = "Do not subtract the mean of the fit features first. DINO does not; features of masked prediction gain by it.",
    };

    public KnnVerb()
        : base("knn", "Weighted nearest neighbours by cosine, nothing to train: k 20 and temperature 0.07, as DINO.")
    {
        foreach (var option in (Option[])[_neighbours, _temperature, _raw]) Add(option);
        _neighbours.RequireAtLeast(1);
    }

    protected override ProbeTask Task(ParseResult arguments, ulong seed)
    {
        var temperature = arguments.GetValue(_temperature);
        if (!(temperature > 0)) throw new JepaException($"--temperature {temperature}: expected more than 0.", isUsage: true);
        var options =
            new KnnOptions { Neighbours = arguments.GetValue(_neighbours), Temperature = temperature, CentreOnFitMean = !arguments.GetValue(_raw) };
        return new KnnTask(options, [1, 10, 20, 100, 200]);
    }
}

/// <summary>The options of a linear probe that is trained by steps.</summary>
internal sealed class LinearOptionsGroup
{
    private readonly Option<double[]> _rates = new("--lr")
    {
        Description = "Learning rates to try, for batches of 256; one or several.",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "RATE",
    };
    private readonly Option<double[]> _decays = new("--weight-decay")
    {
        Description = "Weight decays to try; one or several.",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "DECAY",
    };
    private readonly Option<int?> _epochs = new("--epochs") { Description = "Passes over the features; 50 if not given.", HelpName = "N" };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_rates, _decays, _epochs]) command.Add(option);
        _epochs.RequireAtLeast(1);
    }

    /// <summary>Whether several rates, or any weight decay, were given.</summary>
    public bool ChoosesAmong(ParseResult arguments) =>
        arguments.GetValue(_rates) is { Length: > 1 } || arguments.GetValue(_decays) is { Length: > 0 };

    /// <summary>The one rate that was given; null for none.</summary>
    public double? RateGiven(ParseResult arguments) => arguments.GetValue(_rates) is [var rate] ? rate : null;

    /// <summary>The passes that were given; null for none.</summary>
    public int? EpochsGiven(ParseResult arguments) => arguments.GetValue(_epochs);

    /// <exception cref="JepaException">A number is out of range.</exception>
    public LinearOptions Read(ParseResult arguments, ulong seed)
    {
        var options = new LinearOptions { Seed = seed };
        if (arguments.GetValue(_rates) is { Length: > 0 } rates) options = options with { LearningRates = rates };
        if (arguments.GetValue(_decays) is { Length: > 0 } decays) options = options with { WeightDecays = decays };
        if (arguments.GetValue(_epochs) is { } epochs) options = options with { Epochs = epochs };
        if (options.LearningRates.Any(r => !(r > 0))) throw new JepaException("--lr: expected numbers above 0.", isUsage: true);
        if (options.WeightDecays.Any(d => !(d >= 0))) throw new JepaException("--weight-decay: expected numbers of at least 0.", isUsage: true);
        return options;
    }
}

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

    public override bool SharesItsWork => true;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop) =>
        RankedWork.Run((ranks, own) => Run(arguments, ranks, own, stop), terminal, stop);

    private int Run(ParseResult arguments, Collective ranks, Terminal terminal, StopSignals stop)
    {
        var request = _arguments.Read(arguments);
        var task = Task(arguments, request.Seed);
        using var session = new EvaluationSession(request, _arguments.Weights, arguments, squash: false, terminal, stop, ranks);
        if (!ranks.IsFirst) return session.Follow();
        var classes = MatchedClasses.Of(ClassTexts.Labels(session.Images.Fit), ClassTexts.Labels(session.Images.Test));
        var report = new EvaluationReport(task.Name, session, task.Recipe, classes.Notes);
        EvaluationReport.Announce(task.Name, session, terminal);
        var features = session.Features();
        session.Notes.AddRange(classes.NotesOnRead(features[0].Fit, features[0].Test));
        report.Add(ProbeRows.Of(task, features, classes, request.Baselines, terminal, stop));
        session.Notes.AddRange(task.Notes);
        report.AddClasses(classes.Names);
        report.Finish(terminal);
        return ExitCode.Done;
    }
}
