using System.CommandLine;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Evaluation;
using JepaSharp.Cli.Features;
using JepaSharp.Cli.Reports;
using JepaSharp.Cli.Verbs.Evaluate;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Runs;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa fit</c>: a head from labelled images, kept in a folder.</summary>
internal sealed class FitVerb : Verb
{
    private const string LabelledSet = "labelled images", TestSet = "test images";

    private readonly FeatureArguments _features = new();
    private readonly FineTuneOptionsGroup _tuning = new("--fine-tune-");
    private readonly Option<string> _data = new("--data")
    {
        Description = "Labelled images: class folders, a list with labels, or any set that has them.",
        Required = true,
        HelpName = "PATH",
    };
    private readonly Option<string?> _test = new("--test")
    {
        Description = "Other labelled images to score the head on; if not given, a fifth of --data is kept back for it.",
        HelpName = "PATH",
    };
    private readonly Option<string> _out = new("--out") { Description = "A new folder for the head.", Required = true, HelpName = "HEAD" };
    private readonly Option<string[]> _heads = new("--head")
    {
        Description = "linear, logistic, knn or fine-tune; for numbers ridge or knn; of several, the best on held-out images. All but fine-tune if "
            + "not given, which trains the encoder too and takes long.",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "KIND",
    };
    private readonly Option<string?> _column = new("--column")
    {
        Description = "Predict the numbers in this column (count, distance, any), instead of classes.",
        HelpName = "NAME",
    };
    private readonly Option<bool> _embed = new("--embed-weights")
    {
        Description = "Copy the encoder into the head's folder, so that it can be moved and sent; if not given, the head says where the encoder is.",
    };
    private readonly Option<int> _seed = new("--seed")
    {
        Description = "Seed of the division of the images.",
        DefaultValueFactory = _ => 0,
        HelpName = "N",
    };

    public FitVerb()
        : base("fit", "Fits a head on labelled images and keeps it: with it, 'jepa predict' labels images that nobody has looked at.")
    {
        foreach (var option in (Option[])[_data, _out, _test, _heads, _column, _embed, _seed]) Add(option);
        _features.AddTo(this);
        _tuning.AddTo(this);
        _heads.AcceptOnlyFromAmong([.. HeadKinds.OfClasses, HeadKinds.Ridge]);
        _seed.RequireAtLeast(0);
    }

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var (data, test, output) = (arguments.GetValue(_data)!, arguments.GetValue(_test), arguments.GetValue(_out)!);
        var column = arguments.GetValue(_column);
        var heads = arguments.GetValue(_heads) is { Length: > 0 } asked ? asked : null;
        if (column is not null && heads?.Except(HeadKinds.OfNumbers).FirstOrDefault() is { } ofClasses)
            throw new JepaException(
                $"--head {ofClasses} names classes, and --column asks for numbers: leave one of them out, or give {string.Join(" or ",
                    HeadKinds.OfNumbers)}.", isUsage: true);
        if (column is null && heads?.Contains(HeadKinds.Ridge) == true)
            throw new JepaException($"--head {HeadKinds.Ridge} gives numbers: say which with --column NAME.", isUsage: true);
        HeadFolder.RequireFree(output);
        using var claim = OutputLock.Beside(output, "fitting a head into");
        HeadFolder.RequireFree(output); // between the first look and the lock, another process may have ended
        if (test is not null) EvaluationImages.RequireOther(data, test);
        using var source = ImageSources.Open(data);
        SourceNotes.Print(source, terminal);
        using var testSource = test is null ? null : ImageSources.Open(test);
        if (testSource is not null) SourceNotes.Print(testSource, terminal);
        if (column is null && source.Classes.Count == 0 && source.Columns.Count > 0)
            throw new JepaException(
                $"{source.Origin.Description} has no labels, but numbers: {string.Join(", ", source.Columns)}. Give one with --column.",
                isUsage: true);
        var texts = column is null ? ClassTexts.Labels(source) : null;
        var testTexts = column is null && testSource is not null ? ClassTexts.Labels(testSource) : null;
        var numbers = column is null ? null : ColumnNumbers.Of(source, column);
        var testNumbers = column is null || testSource is null ? null : ColumnNumbers.Of(testSource, column);
        var classes = texts is null ? [] : Classes(texts, testTexts, terminal);
        using var session = _features.Open(arguments, terminal, stop, squash: column is not null);
        terminal.Error.WriteLine($"fit: {session.Words}");
        var methods = column is null ? Methods(arguments, session, terminal) : [];

        var features = session.Of(source, data, LabelledSet);
        var testFeatures = testSource is null ? null : session.Of(testSource, test!, TestSet);
        if (testFeatures is not null && SharedImages.Note(features.Matrix, testFeatures.Matrix) is { } shared)
            terminal.Error.WriteLine("note: " + shared);
        var encoder = arguments.GetValue(_embed)
            ? KeptEncoder.Embedded(session.Weights, session.Loaded.Network, session.Loaded.Encoder, session.Loaded.Normalization)
            : KeptEncoder.Referenced(session.Weights, session.Loaded.Network, session.Loaded.Encoder, session.Loaded.Normalization);
        var seed = (ulong)arguments.GetValue(_seed);
        if (numbers is not null)
        {
            var fitted = HeadFitting.OfNumbers(
                new MatchedNumbers(numbers, []).FitSet(features),
                testFeatures is null ? null : new MatchedNumbers(testNumbers!, []).FitSet(testFeatures), seed, test ?? "", heads);
            HeadFolder.Write(output, fitted, column!, encoder, session.Features, session.Transform);
            FitReport.Print(fitted, column!, output, terminal);
            return ExitCode.Done;
        }

        var labelled = HeadImages.Of(source, features, texts!, classes);
        RequireEach(labelled, classes);
        var scored = testFeatures is null ? null : HeadImages.Of(testSource!, testFeatures, testTexts!, classes);
        using var head = HeadFitting.OfClasses(labelled, scored, methods, seed, test ?? "", trial => FitReport.Say(trial, terminal), stop.Token);
        HeadFolder.Write(output, head, classes, encoder, session.Features, session.Transform);
        FitReport.Print(head, classes, output, terminal);
        return ExitCode.Done;
    }

    private List<HeadMethod> Methods(ParseResult arguments, FeatureSession session, Terminal terminal)
    {
        var seed = (ulong)arguments.GetValue(_seed);
        var kinds = arguments.GetValue(_heads) is { Length: > 0 } asked
            ? asked.Distinct(StringComparer.Ordinal)
            : HeadKinds.OfClasses.Where(kind => kind != HeadKinds.FineTuned);
        return [.. kinds.Select(kind => kind == HeadKinds.FineTuned ? Tuned() : HeadMethod.Frozen(kind, seed))];

        HeadMethod Tuned()
        {
            var recipe = _tuning.Read(arguments, seed);
            return new FineTunedMethod(
                images => new FineTuningRequest
                {
                    Start = session.Loaded.Encoder,
                    Normalization = session.Loaded.Normalization,
                    Fit = images,
                    Size = session.Transform.Size,
                    Recipe = recipe,
                    Device = session.Device,
                    Precision = session.Computation,
                },
                session.Transform, new RunProgress(terminal, "fine-tuning"));
        }
    }

    private static IReadOnlyList<string> Classes(string?[] texts, string?[]? testTexts, Terminal terminal)
    {
        var matched = MatchedClasses.Of(texts, testTexts ?? texts);
        foreach (var note in matched.Notes.Where(note => testTexts is not null || !note.Contains("test image", StringComparison.Ordinal)))
            terminal.Error.WriteLine("note: " + note);
        return matched.Names;
    }

    /// <summary>A class of which no image can be read is one that nothing can be learned of.</summary>
    private static void RequireEach(HeadImages labelled, IReadOnlyList<string> classes)
    {
        var counts = labelled.Set.ClassCounts();
        string[] lost = [.. classes.Where((_, label) => counts[label] == 0)];
        if (lost.Length > 0)
            throw new JepaException(
                $"None of the labelled images of the class {string.Join(", ", lost.Take(8))} can be read: nothing can be learned of it. Mend the "
                    + "images, or take the class out.", isUsage: true);
    }
}
