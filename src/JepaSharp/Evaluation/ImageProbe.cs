using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Measures;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Models;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation;

/// <summary>Quick measures of an encoder on images: spread of the features always, nearest neighbours and a ridge probe where there are
/// labels.</summary>
public sealed class ImageProbe
{
    private readonly FeatureExtractor _extractor;
    private readonly ImageSource _images;
    private readonly int[] _sample;
    private readonly ImageSource? _test;
    private readonly int[]? _testSample;
    private readonly string _name, _testSet;

    /// <summary>A probe over training images and, where they are labelled, held-out ones.</summary>
    /// <param name="extractor">How features are made.</param>
    /// <param name="images">Images to fit on and to measure the spread of.</param>
    /// <param name="test">Labelled images of the same classes to score on; null for no scores.</param>
    /// <param name="largestSample">How many of <paramref name="images"/> are used at most, drawn once.</param>
    /// <param name="seed">Seed of that draw.</param>
    /// <param name="largestTest">How many of <paramref name="test"/> are scored at most, drawn once.</param>
    /// <param name="heldOut">Whether the test images are a held-out part of the training images; the measures' names say so.</param>
    /// <exception cref="JepaException">A test set whose labels do not go with the images'.</exception>
    public ImageProbe(FeatureExtractor extractor, ImageSource images, ImageSource? test = null, int largestSample = 5000, ulong seed = 0,
        int? largestTest = null, bool heldOut = false)
    {
        (_extractor, _images, _test) = (extractor, images, test);
        (_name, _testSet) = heldOut ? ("heldout_accuracy", "held-out images") : ("accuracy", "test images");
        if (test is not null) RequireSameClasses(images, test);
        _sample = Draw(images.Count, largestSample, seed);
        if (test is not null && largestTest is { } most && most < test.Count) _testSample = Draw(test.Count, most, seed);
    }

    /// <summary>The images that the latest measure left out because they could not be read: of those to fit on, of those scored on.</summary>
    public IReadOnlyList<LeftOutImages> LeftOut { get; private set; } = [];

    /// <summary>Measures an encoder.</summary>
    /// <returns>rankme; with labels knn_accuracy and ridge_accuracy on the test images (knn_heldout_accuracy and so on for a held-out part);
    /// feature_deviation, mean_cosine.</returns>
    /// <param name="encoder">The encoder.</param>
    /// <param name="progress">Is told how many images were looked at.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public IReadOnlyDictionary<string, double> Measure(
        VisionTransformer encoder, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var fit = _extractor.Pooled(encoder, _images, _sample, progress, cancellation);
        var measures = new Dictionary<string, double>();
        List<LeftOutImages?> leftOut = [LeftOutImages.Of(_test is null ? "images looked at" : "fit images", _images, fit.Indices, _sample)];
        if (_test is not null)
        {
            var test = _extractor.Pooled(encoder, _test, _testSample, After(progress, _sample.Length), cancellation);
            leftOut.Add(LeftOutImages.Of(_testSet, _test, test.Indices, _testSample));
            var (fitSet, testSet) = (Labelled(fit, _images), Labelled(test, _test));
            measures["knn_" + _name] = KnnProbe.Fit(fitSet).Score(testSet).Accuracy;
            measures["ridge_" + _name] = RidgeProbe.Fit(fitSet).Score(testSet).Accuracy;
        }

        LeftOut = [.. leftOut.OfType<LeftOutImages>()];
        var collapse = CollapseMeasures.Of(fit.Matrix);
        measures["rankme"] = collapse.RankMe;
        measures["feature_deviation"] = collapse.Deviation;
        measures["mean_cosine"] = collapse.MeanCosine;
        return measures;
    }

    /// <summary>The labelled ones among the images, their labels as indices into the training set's classes.</summary>
    private ClassificationSet Labelled(PooledFeatures features, ImageSource source)
    {
        var index = _images.Classes.Select((name, i) => (name, i)).ToDictionary(c => c.name, c => c.i, StringComparer.Ordinal);
        int[] rows = [.. Enumerable.Range(0, features.Indices.Length).Where(row => source.LabelOf(features.Indices[row]) is not null)];
        if (rows.Length == 0) throw new JepaException($"None of the labelled images looked at in {source.Description} can be read.");
        int[] labels = [.. rows.Select(row => index[source.Classes[source.LabelOf(features.Indices[row])!.Value]])];
        return new ClassificationSet(features.Matrix.Select(rows), labels, _images.Classes.Count);
    }

    /// <summary>Counts on from what was done before.</summary>
    internal static IProgress<int>? After(IProgress<int>? progress, int before) => progress is null ? null : new Later(progress, before);

    private sealed class Later(IProgress<int> progress, int before) : IProgress<int>
    {
        public void Report(int value) => progress.Report(before + value);
    }

    private static int[] Draw(int count, int most, ulong seed)
    {
        var order = Enumerable.Range(0, count).ToArray();
        new RandomStream(seed, RandomPurpose.Evaluation).Shuffle(order.AsSpan());
        var sample = order[..Math.Min(most, order.Length)];
        Array.Sort(sample);
        return sample;
    }

    private static void RequireSameClasses(ImageSource images, ImageSource test)
    {
        foreach (var source in (ImageSource[])[images, test])
        {
            if (source.Classes.Count == 0)
                throw new JepaException(
                    $"{source.Origin.Description} has no labels (none of its {source.Origin.Count:N0} images): no class folders were found. "
                    + "Accuracy on test images needs both the training and the test images in class folders.",
                    isUsage: true);
        }

        if (test.Classes.Except(images.Classes, StringComparer.Ordinal).ToList() is { Count: > 0 } unknown)
            throw new JepaException(
                $"{test.Description} has classes that {images.Description} lacks: {string.Join(", ", unknown.Take(5))}. Test images must be of the "
                    + $"training images' classes.",
                isUsage: true);
    }
}
