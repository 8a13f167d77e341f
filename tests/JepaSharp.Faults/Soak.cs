using System.Globalization;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;

namespace JepaSharp.Faults;

/// <summary>Trains for a time and embeds for a time, in one process, and watches what it holds.</summary>
internal static class Soak
{
    private const string Config =
        """
        data: {crop_size: 64, batch_size: 16, scene_count: 600, scene_size: 64}
        mask: {patch_size: 8}
        meta: {model_name: vit_tiny, embed_dim: 96, num_heads: 3, depth: 4, pred_depth: 2, pred_emb_dim: 48, precision: fp32}
        optimization: {epochs: 1000000, warmup: 1}
        logging: {checkpoint_every: 5, checkpoint_steps: 50, evaluate_every: 1000000}
        """;

    public static int Run(double trainingMinutes, double embeddingMinutes, string folder)
    {
        Directory.CreateDirectory(folder);
        var (config, run, images) = (Path.Combine(folder, "config.yaml"), Path.Combine(folder, "run"), "scenes:2000#size=64");
        File.WriteAllText(config, Config);
        using var watch = new SoakWatch(TimeSpan.FromMinutes((trainingMinutes + embeddingMinutes) / 400), Path.Combine(folder, "soak.csv"));

        watch.Phase = "training";
        var trained = Command(TimeSpan.FromMinutes(trainingMinutes), "pretrain", config, "--out", run, "-q");
        watch.Phase = "embedding";
        var (until, embedded) = (DateTime.UtcNow + TimeSpan.FromMinutes(embeddingMinutes), 0);
        while (DateTime.UtcNow < until)
        {
            var code = Command(until - DateTime.UtcNow, "embed", "--weights", run, "--data", images, "--out", Path.Combine(
                folder, string.Create(CultureInfo.InvariantCulture, $"{embedded++}.npy")));
            foreach (var file in Directory.GetFiles(folder, "*.npy*")
                .Concat(Directory.GetFiles(folder, "*.csv").Where(f => Path.GetFileName(f) != "soak.csv"))) File.Delete(file);
            if (code is not (ExitCode.Done or ExitCode.Interrupted)) return code;
        }

        watch.Stop();
        File.WriteAllText(Path.Combine(folder, "soak.svg"), SoakPicture.Of(watch.Samples));
        Console.WriteLine($"training ended with {trained}; {embedded} embeddings of 2,000 images");
        foreach (var line in watch.Slopes()) Console.WriteLine(line);
        return trained == ExitCode.Interrupted ? ExitCode.Done : trained;
    }

    private static int Command(TimeSpan time, params string[] arguments)
    {
        using var stop = new StopSignals(_ => { });
        using var timer =
            new Timer(_ => stop.Receive(ExitCode.Interrupted), null, time > TimeSpan.Zero ? time : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        return CommandLine.Run(arguments, new Terminal(TextWriter.Null, Console.Error), stop);
    }
}
