using System.Diagnostics;
using JepaSharp.Data;
using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks;

/// <summary>Images a second that a source opens and decodes whole on one thread, in order and shuffled; best of several rounds after one to warm
/// up.</summary>
internal static class SourceBenchmark
{
    private const int Rounds = 3, Most = 10_000;

    public static int Run(IReadOnlyList<string> paths)
    {
        foreach (var path in paths)
        {
            var opening = Stopwatch.StartNew();
            using var source = ImageSources.Open(path);
            var opened = opening.Elapsed;
            var order = Enumerable.Range(0, source.Count).ToArray();
            var inOrder = Best(source, order[..Math.Min(Most, order.Length)]);
            new RandomStream(0, RandomPurpose.Evaluation).Shuffle(order.AsSpan());
            var shuffled = Best(source, order[..Math.Min(Most, order.Length)]);
            Console.WriteLine(
                $"{path}: {source.Count:N0} images, opened in {opened.TotalSeconds:F2} s; {inOrder:N0} images/s in order, {shuffled:N0} shuffled");
        }

        return 0;
    }

    private static double Best(ImageSource source, int[] order)
    {
        var buffer = new PixelBuffer();
        var best = 0.0;
        for (var round = 0; round <= Rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            foreach (var index in order)
            {
                using var image = source.Open(index);
                image.DecodeRegion(
                    new DecodeRequest(PixelBox.Whole(image.Width, image.Height), image.Width, image.Height, AllowScaling: false), buffer);
            }

            if (round > 0) best = Math.Max(best, order.Length / clock.Elapsed.TotalSeconds);
        }

        return best;
    }
}
