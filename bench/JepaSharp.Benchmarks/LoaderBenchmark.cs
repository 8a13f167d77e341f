using System.Diagnostics;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;

namespace JepaSharp.Benchmarks;

/// <summary>Images a second through the training loader: random resized crops of a folder, best of several rounds.</summary>
internal static class LoaderBenchmark
{
    private const int Rounds = 5;

    public static int Run(string folder, int cropSize, int threads)
    {
        using var source = new Repeated(ImageSources.Open(folder));
        var options = new ImageLoaderOptions { BatchSize = 64, Threads = threads, Transform = new TrainingTransform { CropSize = cropSize } };
        var loader = new ImageLoader(source, options);
        var best = 0.0;
        for (var epoch = 0; epoch < Rounds; epoch++)
        {
            var clock = Stopwatch.StartNew();
            var images = loader.Epoch(epoch).Sum(b => b.Count);
            best = Math.Max(best, images / clock.Elapsed.TotalSeconds);
        }

        Console.WriteLine($"{folder}: {source.Count:N0} images to {cropSize}x{cropSize}, {threads} thread(s): {best:F0} images/s");
        return 0;
    }

    /// <summary>A small folder several times over, so that a round takes long enough to be timed.</summary>
    private sealed class Repeated(ImageSource source) : ImageSource
    {
        private const int AtLeast = 1024;

        public override int Count { get; } = source.Count * ((AtLeast + source.Count - 1) / source.Count);

        public override string Description => source.Description;

        public override string NameOf(int index) => source.NameOf(index % source.Count);

        public override OpenedImage Open(int index) => source.Open(index % source.Count);

        protected override void Dispose(bool disposing)
        {
            source.Dispose();
            base.Dispose(disposing);
        }
    }
}
