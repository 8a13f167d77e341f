using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Training;
using TorchSharp;

namespace JepaSharp.Runs;

/// <summary>The measures taken before, during and after pretraining: of scenes on built-in data, of the images themselves elsewhere.</summary>
public sealed class RunProbe : IDisposable
{
    private const int FitScenes = 1500;
    private const int TestScenes = 750;
    private const decimal HeldOut = 0.2m;
    private const int MostHeldOut = 2000;
    private const int FitImages = 5000;
    private const int FewestForAClass = 20;

    private readonly PixelScaling _scaling;
    private readonly ImageSource? _test;
    private readonly ImageProbe? _images;
    private readonly Func<VisionTransformer, IProgress<int>?, CancellationToken, IReadOnlyDictionary<string, double>> _measure;

    private RunProbe(
        PixelScaling scaling, ImageSource? test,
        Func<VisionTransformer, IProgress<int>?, CancellationToken, IReadOnlyDictionary<string, double>> measure, bool scores = true) =>
        (_scaling, _test, _measure, Scores) = (scaling, test, measure, scores);

    private RunProbe(PixelScaling scaling, ImageSource? test, ImageProbe probe, bool scores = true)
        : this(scaling, test, probe.Measure, scores) => _images = probe;

    /// <summary>Whether there is something to score: labels, or what a scene is known to hold. Without, only the spread of features is
    /// measured.</summary>
    public bool Scores { get; }

    /// <summary>Images of their own that are scored on; null where there are none.</summary>
    public ImageSource? Test => _test;

    /// <summary>The images that the latest measure left out because they could not be read.</summary>
    public IReadOnlyList<LeftOutImages> LeftOut => _images?.LeftOut ?? [];

    /// <summary>How many images a measure looks at, both sides together.</summary>
    public int Images { get; private init; }

    /// <summary>The probe that suits a run's images.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="source">Its images.</param>
    /// <param name="device">Where the encoder is.</param>
    /// <param name="most">Images that a measure may look at, both sides together; null for as many as tell well.</param>
    /// <exception cref="JepaException">There is one image only, or the test images do not go with the others.</exception>
    public static RunProbe For(PretrainOptions options, ImageSource source, torch.Device device, int? most = null)
    {
        var data = options.Data;
        var scaling = new PretrainPlan(options).Scaling(device);
        // Two thirds to fit on.
        int Fit(int wanted) => most is { } bound ? Math.Min(wanted, bound * 2 / 3) : wanted;
        int Test(int wanted) => most is { } bound ? Math.Min(wanted, bound - (bound * 2 / 3)) : wanted;
        if (data.ResolveSource() is null)
        {
            // Scenes that training does not see: those after its own in the same world.
            ScenesSource Scenes(int count, int first) => new((ulong)data.SceneSeed, count, data.SceneSize * 3 / 2, data.SceneSize, first: first);
            var (fit, test) = (Scenes(Fit(FitScenes), data.SceneCount), Scenes(Test(TestScenes), data.SceneCount + FitScenes));
            var rendered = new Lazy<SceneProbe>(() =>
            {
                fit.RenderAll(Environment.ProcessorCount);
                test.RenderAll(Environment.ProcessorCount);
                return new SceneProbe(new FeatureExtractor(scaling, EvaluationTransform.Squash(data.CropSize), device), fit, test);
            });
            return new RunProbe(scaling, null, (encoder, progress, stop) => rendered.Value.Measure(encoder, progress, stop))
            {
                Images = fit.Count
                + test.Count
            };
        }

        if (source.Count < 2)
        {
            throw new JepaException(
                $"{source.Description} holds one image. Expected at least two, and many more to learn from: what was learned is measured by "
                    + $"comparing images.",
                isUsage: true);
        }

        var extract = new FeatureExtractor(scaling, EvaluationTransform.CenterCrop(data.CropSize), device);
        if (data.TestPath is { } path)
        {
            var test = ImageSources.Open(path);
            var count = Test(test.Count);
            var probe = new ImageProbe(extract, source, test, Fit(FitImages), largestTest: count);
            return new RunProbe(scaling, test, probe) { Images = Math.Min(source.Count, Fit(FitImages)) + count };
        }

        if (!CanHoldOut(source))
        {
            return new RunProbe(scaling, null, new ImageProbe(extract, source, largestSample: most is { } bound
                ? Math.Min(FitImages, bound) : FitImages), scores: false)
            {
                Images = Math.Min(source.Count, Math.Min(FitImages, most ?? FitImages)),
            };
        }

        // Views of the run's own source, which they must not dispose of. The encoder has seen both parts, the labels of neither.
        var (kept, heldOut) = (HeldOutShare.OfPart(source, HeldOut, heldOut: false), HeldOutShare.OfPart(source, HeldOut, heldOut: true));
        return new RunProbe(
            scaling, null, new ImageProbe(extract, kept, heldOut, Fit(FitImages), largestTest: Test(MostHeldOut), heldOut: true))
        {
            Images = Math.Min(kept.Count, Fit(FitImages)) + Math.Min(heldOut.Count, Test(MostHeldOut)),
        };
    }

    /// <summary>Whether the images carry labels, and enough of them that every class has some on both sides of a split.</summary>
    private static bool CanHoldOut(ImageSource source) =>
        source.Classes.Count >= 2 && source.Count >= FewestForAClass * source.Classes.Count && source.LabelOf(0) is not null;

    /// <summary>Measures an encoder.</summary>
    /// <param name="encoder">The encoder.</param>
    /// <param name="progress">Is told how many of <see cref="Images"/> were looked at.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public IReadOnlyDictionary<string, double> Measure(VisionTransformer encoder, IProgress<int>? progress = null,
        CancellationToken cancellation = default) =>
        _measure(encoder, progress, cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        _scaling.Dispose();
        _test?.Dispose();
    }
}
