using System.Diagnostics;
using JepaSharp.Configuration;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Models;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Benchmarks;

/// <summary>The training loader: images a second and processor time, from files to uint8 batches or to normalised float tensors.</summary>
internal static class LoaderBenchmark
{
    private const int Rounds = 5, BatchSize = 64, AtLeast = 1024;
    private const string SelfDistillation = "dino";

    /// <summary>Best of several epochs, and the processor time that a thousand images take.</summary>
    public static int Run(string path, int cropSize, int threads)
    {
        var images = ImageSources.Open(path);
        using var source = new RepeatedImages(images, Math.Max(images.Count, AtLeast));
        var loader = Loader(source, threads, [OneView(cropSize, ResampleFilter.Bilinear, useFlip: false)]);
        using var process = Process.GetCurrentProcess();
        var (best, leastWork) = (0.0, double.MaxValue);
        for (var epoch = 0; epoch < Rounds; epoch++)
        {
            process.Refresh();
            var worked = process.TotalProcessorTime;
            var clock = Stopwatch.StartNew();
            var loaded = loader.Epoch(epoch).Sum(b => b.Count);
            best = Math.Max(best, loaded / clock.Elapsed.TotalSeconds);
            process.Refresh();
            leastWork = Math.Min(leastWork, (process.TotalProcessorTime - worked).TotalMilliseconds / loaded * 1000);
        }

        Console.WriteLine($"{path}: {source.Count:N0} images to {cropSize}x{cropSize}, {threads} thread(s): {best:F0} images/s, {leastWork:F0} ms "
            + $"of processor time for 1,000 images");
        return 0;
    }

    /// <summary>The work of bench/peer/torchvision_loading.py; prints images a second, and images a second of processor time.</summary>
    public static int RunToTensors(string path, int cropSize, int threads, string kernel, int count)
    {
        set_num_threads(1);
        using var source = new RepeatedImages(ImageSources.Open(path), count);
        IReadOnlyList<View> views = kernel == SelfDistillation ? PublishedViews(cropSize)
            : [OneView(cropSize, Enum.Parse<ResampleFilter>(kernel, ignoreCase: true), useFlip: true)];
        var loader = Loader(source, threads, views);
        using var scaling = new PixelScaling([0.485, 0.456, 0.406], [0.229, 0.224, 0.225], CPU);
        using var process = Process.GetCurrentProcess();
        var clock = new Stopwatch();
        var worked = TimeSpan.Zero;
        var images = 0;
        for (var epoch = 0; epoch < 2; epoch++)
        {
            process.Refresh();
            worked = process.TotalProcessorTime;
            clock.Restart();
            images = 0;
            foreach (var batch in loader.Epoch(epoch))
            {
                using var scope = NewDisposeScope();
                foreach (var view in views) _ = scaling.ToImages(batch, view).contiguous();
                images += batch.Count;
            }
        }

        clock.Stop();
        process.Refresh();
        Console.WriteLine(FormattableString.Invariant(
            $"{images / clock.Elapsed.TotalSeconds:F1} {images / (process.TotalProcessorTime - worked).TotalSeconds:F1}"));
        return 0;
    }

    private static ImageLoader Loader(ImageSource source, int threads, IReadOnlyList<View> views) =>
        new(source, new ImageLoaderOptions { BatchSize = BatchSize, Threads = threads, Views = views });

    private static View OneView(int cropSize, ResampleFilter filter, bool useFlip) => new("image", new TrainingTransform
    {
        CropSize = cropSize,
        Filter = filter,
        Augmentations = new Augmentations { Flip = useFlip ? 0.5 : 0 },
    });

    /// <summary>DINO's, as published: two large crops that are blurred and solarised differently, and eight small ones.</summary>
    private static IReadOnlyList<View> PublishedViews(int cropSize)
    {
        var options = PretrainOptions.Parse(FormattableString.Invariant(
            $$"""
            data: {crop_size: {{cropSize}}}
            mask: {patch_size: 16}
            meta: {objective: dino, model_name: vit_small}
            views: {local: 8}
            """));
        var dino = new PretrainPlan(options).Dino;
        return [.. dino.Global, dino.Local!];
    }
}
