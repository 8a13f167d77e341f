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

    private readonly PixelScaling _scaling;
    private readonly ImageSource? _test;
    private readonly Func<VisionTransformer, IReadOnlyDictionary<string, double>> _measure;

    private OnlineProbe(PixelScaling scaling, ImageSource? test, Func<VisionTransformer, IReadOnlyDictionary<string, double>> measure) =>
        (_scaling, _test, _measure) = (scaling, test, measure);

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
        var labelled = data.TestPath is { } path ? ImageSources.Open(path) : null;
        var images = new ImageProbe(new FeatureExtractor(scaling, EvaluationTransform.CenterCrop(data.CropSize), device), source, labelled);
        return new OnlineProbe(scaling, labelled, images.Measure);
    }

    /// <summary>Measures an encoder.</summary>
    public IReadOnlyDictionary<string, double> Measure(VisionTransformer encoder) => _measure(encoder);

    public void Dispose()
    {
        _scaling.Dispose();
        _test?.Dispose();
    }
}
