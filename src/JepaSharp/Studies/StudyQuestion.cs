using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Evaluation.Features;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Studies;

/// <summary>An evaluation with its images opened: what is asked of each encoder in turn, always the same way.</summary>
/// <remarks>Whatever is chosen (a probe's strength, which layers), is chosen on a part of the images to fit on; test images only score, once an
/// encoder.</remarks>
internal sealed class StudyQuestion : IDisposable
{
    private const int Batch = 64, LastLayers = 4;
    private const decimal Share = 0.2m;

    private readonly StudyEvaluation _asked;
    private readonly ImageSource _fit, _test;
    private readonly MatchedClasses? _classes;
    private readonly MatchedNumbers? _numbers;
    private readonly IReadOnlyList<int[]> _subsets = [];
    private (string Fit, string Test)? _images;

    private StudyQuestion(StudyEvaluation asked, ImageSource fit, ImageSource test)
    {
        _asked = asked;
        _fit = asked.MaxFit < fit.Count ? new SourceSubset(fit, asked.MaxFit.Value) : fit;
        _test = asked.MaxTest < test.Count ? new SourceSubset(test, asked.MaxTest.Value) : test;
        if (StudyTasks.IsOfNumbers(asked.Task))
        {
            var column = asked.Column ?? asked.Task;
            _numbers = new MatchedNumbers(ColumnNumbers.Of(_fit, column), ColumnNumbers.Of(_test, column));
            return;
        }

        _classes = MatchedClasses.Of(ClassTexts.Labels(_fit), ClassTexts.Labels(_test));
        if (asked.PerClass is { } perClass)
            _subsets = LowShotDraws.Draw(_classes.FitImages(_fit).Labels, _classes.Names, perClass, StudyTasks.DrawsOf(asked), seed: 0);
    }

    /// <summary>What tells the images from others, wherever they lie: of those to fit on, then of the test images.</summary>
    public (string Fit, string Test) Images => _images ??= (ImagesOf(_fit), ImagesOf(_test));

    /// <summary>All of what a path names, or one side of it.</summary>
    private static ImageSource Opened(string address, bool? heldOut)
    {
        var source = ImageSources.Open(address);
        try
        {
            return heldOut is { } side ? HeldOutShare.OfPart(source, Share, side) : source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Opens the images.</summary>
    /// <exception cref="JepaException">They are not there, have no labels, or are the same.</exception>
    public static StudyQuestion Open(StudyEvaluation asked, StudyAddresses addresses)
    {
        var data = addresses.Of(asked.Data);
        var test = asked.Test is { } given ? addresses.Of(given) : null;
        if (test is not null && Path.TrimEndingDirectorySeparator(data) == Path.TrimEndingDirectorySeparator(test))
            throw new JepaException(
                $"data and test are the same images ({asked.Data}): a probe knows those it was fitted on. Give other images to test, or leave it out "
                    + "to have a fifth held out.", isUsage: true);
        ImageSource? opened = null;
        ImageSource? scored = null;
        try
        {
            opened = Opened(data, test is null ? false : null);
            scored = Opened(test ?? data, test is null ? true : null);
            return new StudyQuestion(asked, opened, scored);
        }
        catch (JepaException)
        {
            opened?.Dispose();
            scored?.Dispose();
            throw;
        }
    }

    /// <summary>What tells the images of a source from others: how many, their names, and what some of them hold.</summary>
    public static string ImagesOf(ImageSource source)
    {
        var seen = ImagesSeen.Of(source);
        return FormattableString.Invariant($"{source.Count} {seen.Names} {seen.Contents}");
    }

    /// <summary>Asks an encoder.</summary>
    /// <param name="encoder">Frozen, ready to encode.</param>
    /// <param name="normalization">That of its training.</param>
    /// <param name="size">H = W of the images in pixels.</param>
    /// <param name="device">Where it is.</param>
    /// <param name="stop">Stops between batches of images.</param>
    public StudyScore Ask(VisionTransformer encoder, PixelNormalization normalization, int size, Device device, CancellationToken stop)
    {
        foreach (var scenes in new[] { _fit, _test }.OfType<ScenesSource>()) scenes.RenderAll(Environment.ProcessorCount, cancellation: stop);
        var pairs = Features(encoder, normalization, size, device, stop);
        List<ResultRow> rows = [];
        foreach (var (name, fit, test) in pairs)
        {
            stop.ThrowIfCancellationRequested();
            rows.Add(_numbers is { } numbers
                ? RegressionTask.Run(new NumberedFeatures(name, numbers.FitSet(fit), numbers.TestSet(test)), new RidgeOptions())
                : ProbeOf(fit).Run(new LabelledFeatures(name, _classes!.Fit(fit), _classes.Test(test)))[0]);
        }

        var row = FeatureChoice.Mark(rows).Single(r => r.IsChosen);
        var metric = _numbers is null ? "accuracy" : "r2";
        return new StudyScore(_asked.Name, _asked.Task, metric, row.Scores[metric], row.HeldOut, row.Features, row.Settings, row.Scores);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _fit.Dispose();
        _test.Dispose();
    }

    private ProbeTask ProbeOf(PooledFeatures fit)
    {
        var probe = StudyTasks.ProbeOf(_asked);
        if (_subsets.Count == 0) return probe;
        // Subsets name images; rows of features are those that could be read.
        var place = _classes!.FitRows(fit).Index().ToDictionary(r => r.Item, r => r.Index);
        return new LowShotTask(probe, [.. _subsets.Select(s => s.Where(place.ContainsKey).Select(i => place[i]).ToArray())]);
    }

    private List<(string Name, PooledFeatures Fit, PooledFeatures Test)> Features(
        VisionTransformer encoder, PixelNormalization normalization, int size, Device device, CancellationToken stop)
    {
        var which = StudyTasks.FeaturesOf(_asked);
        var (width, layers) = (encoder.Shape.Width, which == "last" ? 1 : Math.Min(LastLayers, encoder.Shape.Depth));
        var transform = _numbers is null ? EvaluationTransform.CenterCrop(size) : EvaluationTransform.Squash(size);
        using var scaling = new PixelScaling([.. normalization.Mean], [.. normalization.Deviation], device);
        var kind = new EncoderFeatures("encoder", encoder, scaling, new EncoderOutput(layers), size, device.ToString());
        PooledFeatures Of(ImageSource source) => FrozenFeatures.Extract([kind], source, transform, Batch, cancellation: stop)[0];
        PooledFeatures Last(PooledFeatures all) =>
            all.Matrix.Width == width ? all : all with { Matrix = all.Matrix.Columns(all.Matrix.Width - width, width) };
        var (fit, test) = (Of(_fit), Of(_test));
        List<(string, PooledFeatures, PooledFeatures)> found = [];
        if (which is "last" or "both") found.Add(("last layer", Last(fit), Last(test)));
        if (which is "last4" or "both") found.Add(($"last {layers} layers", fit, test));
        return found;
    }
}
