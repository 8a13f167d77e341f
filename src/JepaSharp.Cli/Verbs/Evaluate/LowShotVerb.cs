using System.CommandLine;
using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Evaluation;
using JepaSharp.Cli.Ranks;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary><c>jepa evaluate low-shot</c>.</summary>
internal sealed class LowShotVerb : Verb
{
    // Where a class has one image, nothing can be held out to choose by.
    private static readonly LinearOptions OneShotLinear = new() { LearningRates = [0.1], WeightDecays = [1e-3] };
    private static readonly LogisticOptions OneShotLogistic = new() { Penalties = [1e-2] };

    private readonly EvaluationArguments _arguments = new("last");
    private readonly FineTuneOptionsGroup _tuning = new("--fine-tune-");
    private readonly Option<double?> _share = new("--share")
    {
        Description = "Share of the images to fit on, the same number of every class; 0.01 if nothing is said.",
        HelpName = "S",
    };
    private readonly Option<int?> _perClass = new("--per-class") { Description = "So many images of every class instead.", HelpName = "N" };
    private readonly Option<bool> _whole = new("--whole")
    {
        Description = "All images of --data, as one subset: where --data is an official list of few images.",
    };
    private readonly Option<int> _draws = new("--draws")
    {
        Description = "Subsets to draw; mean and deviation over them are reported.",
        DefaultValueFactory = _ => 5,
        HelpName = "N",
    };
    private readonly Option<bool> _fineTune = new("--fine-tune") { Description = "Fine-tune on each subset, too." };

    public LowShotVerb()
        : base("low-shot", "What can be learned from few labels: linear, logistic and, if asked for, fine-tuning, on several small subsets of equal "
            + "classes.")
    {
        _arguments.AddTo(this);
        foreach (var option in (Option[])[_share, _perClass, _whole, _draws, _fineTune]) Add(option);
        _tuning.AddTo(this);
        _perClass.RequireAtLeast(1);
        _draws.RequireAtLeast(1);
    }

    public override bool PrintsItsResult(ParseResult arguments) => !_arguments.HasFile(arguments);

    public override bool SharesItsWork => true;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop) =>
        RankedWork.Run((ranks, own) => Run(arguments, ranks, own, stop), terminal, stop);

    private int Run(ParseResult arguments, Collective ranks, Terminal terminal, StopSignals stop)
    {
        var request = _arguments.Read(arguments);
        var tuning = _tuning.Read(arguments, request.Seed);
        RequireOneAmount(arguments);
        using var session = new EvaluationSession(request, _arguments.Weights, arguments, squash: false, terminal, stop, ranks);
        if (!ranks.IsFirst) return session.Follow();
        var classes = MatchedClasses.Of(ClassTexts.Labels(session.Images.Fit), ClassTexts.Labels(session.Images.Test));
        var all = classes.FitImages(session.Images.Fit);
        _ = Subsets(arguments, all, classes, request.Seed); // a class that has too few is said before features are made
        EvaluationReport.Announce(Name, session, terminal);
        var features = session.Features();
        session.Notes.AddRange(classes.NotesOnRead(features[0].Fit, features[0].Test));
        // Subsets are of images that could be read, as otherwise a class would have fewer than the others.
        var read = classes.FitRows(features[0].Fit);
        var images = read.Length == all.Labels.Length ? all : all.Select(read);
        var subsets = Subsets(arguments, images, classes, request.Seed);
        var fewest = subsets.Min(rows => rows.CountBy(row => images.Labels[row]).Min(c => c.Value));
        ProbeTask[] methods = fewest < 2
            ? [LinearModelTask.Linear(OneShotLinear with { Seed = request.Seed }), LinearModelTask.Logistic(OneShotLogistic)]
            : [LinearModelTask.Linear(new LinearOptions { Seed = request.Seed, HeldOutShare = 0.2 }), LinearModelTask.Logistic(
                new LogisticOptions { Seed = request.Seed })];
        var recipe = new
        {
            Subsets = subsets.Select(s => s.Length),
            Fewest = fewest,
            Methods = methods
            .Select(m => new { m.Name, m.Recipe }),
            FineTune = arguments.GetValue(_fineTune) ? tuning : null
        };
        var report = new EvaluationReport(Name, session, recipe, classes.Notes);
        terminal.Error.WriteLine(
            $"{Quantity.Of(subsets.Count, "subset")} of {Quantity.Of(subsets[0].Length, "image")}, at least {fewest:n0} of every class");

        var rows = Probed(session, features, classes, subsets, methods, terminal, stop);
        if (arguments.GetValue(_fineTune)) rows.Add(FineTuned(session, classes, images, subsets, tuning, fewest >= 2, terminal, stop));
        report.Add(FeatureChoice.Mark(rows));
        report.AddClasses(classes.Names);
        report.Finish(terminal);
        return ExitCode.Done;
    }

    private static List<ResultRow> Probed(
        EvaluationSession session, IReadOnlyList<FeaturePair> features, MatchedClasses classes, IReadOnlyList<int[]> subsets, ProbeTask[] methods,
        Terminal terminal, StopSignals stop)
    {
        var rows = new List<ResultRow>();
        foreach (var method in methods)
            rows.AddRange(ProbeRows.Of(
                new LowShotTask(method, subsets), features, classes, baselines: method == methods[^1] && session.Request.Baselines, terminal, stop));
        return [.. rows.Select(row => row with { IsChosen = false })];
    }

    private static ResultRow FineTuned(
        EvaluationSession session, MatchedClasses classes, LabelledImages images, IReadOnlyList<int[]> subsets, FineTuneOptions tuning, bool holdOut,
        Terminal terminal, StopSignals stop)
    {
        var (test, name) = (classes.TestImages(session.Images.Test), $"{session.Loaded.Name} encoder");
        var rows = subsets.Select(subset => FineTuneRow.Of(session, session.Loaded.Encoder, name, images.Select(subset), test, tuning, holdOut,
            terminal, stop)).ToList();
        return LowShotTask.Summary(name, rows[0].Probe, rows) with { Settings = rows[0].Settings, Seconds = rows.Sum(r => r.Seconds) };
    }

    private IReadOnlyList<int[]> Subsets(ParseResult arguments, LabelledImages images, MatchedClasses classes, ulong seed)
    {
        if (arguments.GetValue(_whole)) return [[.. Enumerable.Range(0, images.Labels.Length)]];
        var present = images.Labels.Distinct().Count();
        var perClass = arguments.GetValue(_perClass) ?? LowShotDraws.PerClass(images.Labels.Length, present, arguments.GetValue(_share) ?? 0.01);
        return LowShotDraws.Draw(images.Labels, classes.Names, perClass, arguments.GetValue(_draws), seed);
    }

    private void RequireOneAmount(ParseResult arguments)
    {
        var share = arguments.GetValue(_share);
        if (share is not (null or (> 0 and <= 1)))
            throw new JepaException(
                $"--share {share.Value.ToString(CultureInfo.InvariantCulture)}: expected more than 0 and at most 1, as 0.01 for 1 %.", isUsage: true);
        if (((bool[])[share is not null, arguments.GetValue(_perClass) is not null, arguments.GetValue(_whole)]).Count(given => given) > 1)
            throw new JepaException("--share, --per-class and --whole say the same thing in three ways: give one of them.", isUsage: true);
    }
}
