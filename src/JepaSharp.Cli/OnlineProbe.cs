using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation;
using JepaSharp.Models;
using JepaSharp.Runtime;
using TorchSharp;

namespace JepaSharp.Cli;

/// <summary>The measures taken before, during and after pretraining: of scenes on built-in data, of the images themselves elsewhere.</summary>
internal sealed class OnlineProbe : IDisposable
{
    private const int FitScenes = 1500;
    private const int TestScenes = 750;
    private const decimal HeldOut = 0.2m;
    private const int MostHeldOut = 2000;
    private const int FewestForAClass = 20;

    private readonly PixelScaling _scaling;
    private readonly ImageSource? _test;
    private readonly Func<VisionTransformer, CancellationToken, IReadOnlyDictionary<string, double>> _measure;

    private OnlineProbe(PixelScaling scaling, ImageSource? test, Func<VisionTransformer, CancellationToken, IReadOnlyDictionary<string, double>> measure, bool scores = true) =>
        (_scaling, _test, _measure, Scores) = (scaling, test, measure, scores);

    /// <summary>Whether there is something to score: labels, or what a scene is known to hold. Without, only the spread of features is measured.</summary>
    public bool Scores { get; }

    /// <summary>Images of their own that are scored on; null where there are none.</summary>
    public ImageSource? Test => _test;

    /// <summary>The probe that suits a run's images.</summary>
    public static OnlineProbe For(PretrainOptions options, ImageSource source, torch.Device device)
    {
        var (data, mean, std) = (options.Data, options.Data.Mean, options.Data.Std);
        var scaling = new PixelScaling([mean.Red, mean.Green, mean.Blue], [std.Red, std.Green, std.Blue], device);
        if (data.ResolveSource() is null)
        {
            // Scenes that training does not see: those after its own in the same world.
            var fit = new ScenesSource((ulong)data.SceneSeed, FitScenes, data.SceneSize * 3 / 2, data.SceneSize, first: data.SceneCount);
            var test = new ScenesSource((ulong)data.SceneSeed, TestScenes, data.SceneSize * 3 / 2, data.SceneSize, first: data.SceneCount + FitScenes);
            fit.RenderAll(Environment.ProcessorCount);
            test.RenderAll(Environment.ProcessorCount);
            var extractor = new FeatureExtractor(scaling, EvaluationTransform.Squash(data.CropSize), device);
            return new OnlineProbe(scaling, null, new SceneProbe(extractor, fit, test).Measure);
        }

        if (source.Count < 2)
            throw new JepaException($"{source.Description} holds one image. Expected at least two, and many more to learn from: what was learned is measured by comparing images.", isUsage: true);
        var extract = new FeatureExtractor(scaling, EvaluationTransform.CenterCrop(data.CropSize), device);
        if (data.TestPath is { } path)
        {
            var test = ImageSources.Open(path);
            return new OnlineProbe(scaling, test, new ImageProbe(extract, source, test).Measure);
        }

        if (!CanHoldOut(source)) return new OnlineProbe(scaling, null, new ImageProbe(extract, source).Measure, scores: false);
        // Views of the run's own source, which they must not dispose of. The encoder has seen both parts, the labels of neither.
        var (kept, heldOut) = (new HeldOutShare(source, HeldOut, heldOut: false), new HeldOutShare(source, HeldOut, heldOut: true));
        return new OnlineProbe(scaling, null, new ImageProbe(extract, kept, heldOut, largestTest: MostHeldOut, heldOut: true).Measure);
    }

    /// <summary>Whether the images carry labels, and enough of them that every class has some on both sides of a split.</summary>
    private static bool CanHoldOut(ImageSource source) => source.Classes.Count >= 2 && source.Count >= FewestForAClass * source.Classes.Count && source.LabelOf(0) is not null;

    /// <summary>Measures an encoder.</summary>
    /// <param name="encoder">The encoder.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public IReadOnlyDictionary<string, double> Measure(VisionTransformer encoder, CancellationToken cancellation = default) => _measure(encoder, cancellation);

    public void Dispose()
    {
        _scaling.Dispose();
        _test?.Dispose();
    }
}
