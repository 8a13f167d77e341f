using System.Diagnostics;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Benchmarks;

/// <summary>Images a second through a frozen encoder of a named size, at 224 pixels in 16-pixel patches; best of several rounds.</summary>
internal static class EmbedBenchmark
{
    private const int Rounds = 5, Batch = 32;

    public static int Run(string model, ScalarType precision)
    {
        using var encoder = new VisionTransformer(ModelPresets.Encoder(model, 224, 16));
        Initialization.Initialize(encoder, seed: 0, stream: 0);
        encoder.ComputeIn(precision);
        using var untracked = no_grad();
        using var images = rand(Batch, 3, 224, 224);
        var best = 0.0;
        for (var round = 0; round <= Rounds; round++)
        {
            using var scope = NewDisposeScope();
            var clock = Stopwatch.StartNew();
            _ = encoder.forward(images).mean([1]).cpu();
            if (round > 0) best = Math.Max(best, Batch / clock.Elapsed.TotalSeconds);
        }

        Console.WriteLine($"{model} 224/16, {precision}, batches of {Batch}, {get_num_threads()} threads: {best:F1} images/s");
        return 0;
    }
}
