using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Heads;

/// <summary>Fits heads of several kinds, keeps the best, and says what it is worth.</summary>
/// <remarks>
/// The labelled images are divided in three, the same share of every class: those that fit, those that choose (kind, temperature, threshold of
/// "unsure") and those that score; a test set scores in place of the last. What is kept is the chosen kind fitted anew, with the same settings, on
/// those that fitted and those that chose. No image that scores has fitted or chosen anything.
/// </remarks>
public static class HeadFitting
{
    private const double RangeShare = 0.9;

    /// <summary>A head of classes.</summary>
    /// <param name="labelled">Images with labels.</param>
    /// <param name="test">Other images to score on; null to hold some of the labelled ones back for it.</param>
    /// <param name="methods">Kinds to choose among, at least one.</param>
    /// <param name="seed">Seed of the division.</param>
    /// <param name="testName">What the test images are called.</param>
    /// <param name="tried">Is told of each kind when it has been tried.</param>
    /// <param name="cancellation">Stops between fits.</param>
    /// <exception cref="JepaException">Too few labelled images, or images of one class only.</exception>
    public static FittedClasses OfClasses(
        HeadImages labelled, HeadImages? test, IReadOnlyList<HeadMethod> methods, ulong seed, string testName = "the test images",
        Action<HeadTrial>? tried = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(labelled);
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentOutOfRangeException.ThrowIfZero(methods.Count);
        var classes = labelled.Set.Classes;
        var division = HeadDivision.Of(labelled.Set.Labels.ToArray(), classes, seed, test is null ? null : (test.Set.Count, testName));
        var (fit, choose) = (labelled.Select(division.Fit), labelled.Select(division.Choose));
        var candidates = new List<Candidate>();
        foreach (var method in methods)
        {
            cancellation.ThrowIfCancellationRequested();
            candidates.Add(Try(method, fit, choose, cancellation));
            tried?.Invoke(candidates[^1].Trial);
        }

        // The most accurate; of equals the one whose probabilities are better, of equals there the first.
        var best = candidates.OrderByDescending(c => c.Trial.HeldOut).ThenBy(c => c.Trial.LogLoss).First();
        var model = best.Method.Fit(labelled.Select(division.Kept), best.Settings, cancellation);
        try
        {
            var scored = test ?? labelled.Select(division.Score);
            return new FittedClasses(model, best.Method.Kind, best.Temperature, best.UnsureBelow, new HeadReport
            {
                Division = division.Sentence,
                Fitted = division.Kept.Length,
                Chose = division.Choose.Length,
                Scored = scored.Set.Count,
                Tried = [.. candidates.Select(c => c.Trial)],
                Settings = model.Settings,
                OfClasses = Score(model.Of(scored, cancellation), scored.Set, best.Temperature, best.UnsureBelow) with
                {
                    MostFrequent = MostFrequent(labelled.Select(division.Kept).Set, scored.Set),
                },
            });
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>A head of numbers.</summary>
    /// <param name="labelled">Images with a number each.</param>
    /// <param name="test">Other images to score on; null to hold some back for it.</param>
    /// <param name="seed">Seed of the division.</param>
    /// <param name="testName">What the test images are called.</param>
    /// <param name="kinds">Kinds to choose among (<see cref="HeadKinds.OfNumbers"/>); null for all.</param>
    /// <exception cref="JepaException">Too few images.</exception>
    public static FittedNumbers OfNumbers(
        RegressionSet labelled, RegressionSet? test, ulong seed, string testName = "the test images", IReadOnlyList<string>? kinds = null)
    {
        ArgumentNullException.ThrowIfNull(labelled);
        var division = HeadDivision.Of(new int[labelled.Count], 1, seed, test is null ? null : (test.Count, testName));
        var (fit, choose) = (labelled.Select(division.Fit), labelled.Select(division.Choose));
        var candidates = (kinds ?? HeadKinds.OfNumbers).Distinct().Select(kind =>
        {
            var model = NumberMethods.Fit(kind, fit, seed, null);
            return (Kind: kind, Model: model, Score: NumberMethods.Score(model, choose));
        }).ToList();
        var best = candidates.MinBy(candidate => candidate.Score.RootMeanSquareError);
        var interval = Quantile(NumberMethods.Distances(best.Model, choose), RangeShare);
        var kept = labelled.Select(division.Kept);
        var final = NumberMethods.Fit(best.Kind, kept, seed, best.Model.Settings);
        var scored = test ?? labelled.Select(division.Score);
        var score = NumberMethods.Score(final, scored);
        return new FittedNumbers(final, best.Kind, interval, kept.Values.ToArray().Min(), kept.Values.ToArray().Max(), new HeadReport
        {
            Division = division.Sentence,
            Fitted = division.Kept.Length,
            Chose = division.Choose.Length,
            Scored = scored.Count,
            Tried = [.. candidates.Select(candidate => new HeadTrial(candidate.Kind, candidate.Score.R2, null))],
            Settings = final.Settings,
            OfNumbers = new NumberReport(score.R2, score.MeanAbsoluteError, score.RootMeanSquareError, score.RoundedAccuracy,
                NumberMethods.Distances(final, scored).Count(distance => distance <= interval) / (double)scored.Count),
        });
    }

    /// <summary>The ⌈(n + 1) share⌉-th smallest, which holds the share of new images too (split conformal prediction: Lei et al., JASA 2018,
    /// section 2.2); the largest where there are too few for that.</summary>
    internal static double Quantile(double[] values, double share)
    {
        Array.Sort(values);
        return values[Math.Min((int)Math.Ceiling((values.Length + 1) * share), values.Length) - 1];
    }

    private static Candidate Try(HeadMethod method, HeadImages fit, HeadImages choose, CancellationToken cancellation)
    {
        using var model = method.Fit(fit, null, cancellation);
        var (outputs, classes) = (model.Of(choose, cancellation), choose.Set.Classes);
        var temperature = Calibration.Temperature(outputs, choose.Set.Labels, classes);
        var probabilities = Calibration.Probabilities(outputs, classes, temperature);
        var right = Enumerable.Range(0, choose.Set.Count).Count(
            i => Calibration.Best(probabilities.AsSpan(i * classes, classes)).Label == choose.Set.Labels[i]);
        return new Candidate(
            method, new HeadTrial(method.Kind, (double)right / choose.Set.Count, Calibration.LogLoss(probabilities, choose.Set.Labels, classes)),
            temperature, Calibration.UnsureBelow(probabilities, choose.Set.Labels, classes), model.Settings);
    }

    private static ClassReport Score(double[] outputs, ClassificationSet set, double temperature, double unsureBelow)
    {
        var classes = set.Classes;
        double[] before = Calibration.Probabilities(outputs, classes, 1), after = Calibration.Probabilities(outputs, classes, temperature);
        var (predicted, unsure) = (new int[set.Count], new bool[set.Count]);
        for (var i = 0; i < set.Count; i++)
        {
            (predicted[i], var probability) = Calibration.Best(after.AsSpan(i * classes, classes));
            unsure[i] = probability < unsureBelow;
        }

        var score = ClassificationScore.Of(predicted, set.Labels, classes);
        var labels = set.Labels.ToArray();
        int sure = unsure.Count(u => !u), wrong = predicted.Zip(labels).Count(p => p.First != p.Second);
        var sureAndRight = Enumerable.Range(0, set.Count).Count(i => !unsure[i] && predicted[i] == labels[i]);
        return new ClassReport(
            score.Accuracy, score.MeanPerClassAccuracy, Calibration.Score(before, labels, classes), Calibration.Score(after, labels, classes),
            1 - ((double)sure / set.Count), sure == 0 ? double.NaN : (double)sureAndRight / sure,
            wrong == 0 ? double.NaN : 1 - ((double)(sure - sureAndRight) / wrong));
    }

    /// <summary>The share of the images scored that are of the class that is most frequent among those fitted on.</summary>
    private static double MostFrequent(ClassificationSet fitted, ClassificationSet scored)
    {
        var counts = fitted.ClassCounts();
        var most = Enumerable.Range(0, fitted.Classes).MaxBy(label => counts[label]);
        return scored.Labels.ToArray().Count(label => label == most) / (double)scored.Count;
    }

    private sealed record Candidate(
        HeadMethod Method, HeadTrial Trial, double Temperature, double UnsureBelow, IReadOnlyDictionary<string, double> Settings);
}

/// <summary>A head of classes that was fitted.</summary>
/// <param name="Model">The head; owned.</param>
/// <param name="Kind">One of <see cref="HeadKinds"/>.</param>
/// <param name="Temperature">T.</param>
/// <param name="UnsureBelow">The threshold of "unsure".</param>
/// <param name="Report">What it is worth.</param>
public sealed record FittedClasses(HeadModel Model, string Kind, double Temperature, double UnsureBelow, HeadReport Report) : IDisposable
{
    /// <summary>Ends the model.</summary>
    public void Dispose() => Model.Dispose();
}

/// <summary>A head of numbers that was fitted.</summary>
/// <param name="Model">The head.</param>
/// <param name="Kind">One of <see cref="HeadKinds.OfNumbers"/>.</param>
/// <param name="Interval">Half the width of the range that is meant to hold nine of ten true numbers.</param>
/// <param name="Lowest">The least of the numbers that it was fitted on.</param>
/// <param name="Highest">The largest of them.</param>
/// <param name="Report">What it is worth.</param>
public sealed record FittedNumbers(HeadModel Model, string Kind, double Interval, double Lowest, double Highest, HeadReport Report);
