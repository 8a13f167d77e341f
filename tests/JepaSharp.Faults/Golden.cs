using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Faults;

/// <summary>Small runs of every kind, each as one line of digests: two builds that train alike to the bit print the same lines.</summary>
/// <remarks>
/// The digests are of one machine: compare two builds on the same processor. A line has the digest of every step's loss, learning rate, weight decay
/// and momentum, of all weights, of AdamW's moments and of what was measured on the way.
/// </remarks>
internal static class Golden
{
    private const int Steps = 50;

    private static readonly PretrainOptions Small = new()
    {
        Data = new DataOptions { CropSize = 48, BatchSize = 8, NumWorkers = 2, UseHorizontalFlip = true },
        Mask = new MaskOptions { PatchSize = 8, MinKeep = 2 },
        Meta = new MetaOptions
        {
            ModelName = "vit_tiny",
            EmbedDim = 96,
            NumHeads = 3,
            Depth = 3,
            PredDepth = 2,
            PredEmbDim = 48,
            Precision = Precision.Fp32
        },
        Optimization = new OptimizationOptions { Epochs = 10, Warmup = 2 },
        Logging = new LoggingOptions { CheckpointEvery = 5, Tensorboard = true, EvaluateEvery = 5 },
    };

    /// <summary>What is run: a name, and what is set.</summary>
    private static readonly (string Name, string[] Settings, string Surroundings)[] Kinds =
    [
        ("fp32, kernels", [], ""),
        ("bf16, kernels", ["meta.precision=bf16"], ""),
        ("fp32, libtorch", [], "kernels off"),
        ("bf16, libtorch", ["meta.precision=bf16"], "kernels off"),
        ("fp32, kernels, 3 micro-batches, clipped", ["optimization.accumulate=3", "optimization.clip_grad=0.1"], ""),
        ("bf16, kernels, 2 micro-batches, blocks computed again",
            ["meta.precision=bf16", "optimization.accumulate=2", "optimization.checkpoint_activations=true"], ""),
        ("fp32, libtorch, 3 micro-batches, clipped", ["optimization.accumulate=3", "optimization.clip_grad=0.1"], "kernels off"),
        ("fp32, kernels, 2 contexts, L2, published masks", ["mask.num_enc_masks=2", "optimization.loss=l2", "mask.compatibility=reference"], ""),
        ("fp32, kernels, heads that do not fit", ["meta.pred_num_heads=12"], ""),
        ("fp32, kernels, stopped after 23 steps and resumed", [], "resumed"),
        ("bf16, kernels, stopped after 23 steps and resumed", ["meta.precision=bf16"], "resumed"),
        ("fp32, kernels, begun with another run's weights and moments", [], "init"),
        ("fp32, kernels, ahead", [], "ahead"),
        ("bf16, kernels, ahead, clipped", ["meta.precision=bf16", "optimization.clip_grad=0.1"], "ahead"),
        ("fp32, libtorch, ahead", [], "ahead, kernels off"),
    ];

    /// <summary>Runs everything below a new folder.</summary>
    /// <returns>The exit code.</returns>
    public static int Run(string folder, string? only)
    {
        Directory.CreateDirectory(folder);
        var images = Path.Combine(folder, "images");
        if (!Directory.Exists(images)) SceneFolder.Write(images, 120, 72, 48, seed: 5);
        foreach (var (name, settings, surroundings) in Kinds.Where(k => only is null || k.Name.Contains(only, StringComparison.Ordinal)))
        {
            var run =
                Path.Combine(folder, name.Replace(", ", "-", StringComparison.Ordinal).Replace(' ', '-').Replace("'", "", StringComparison.Ordinal));
            string[] set =
                [.. settings.Append("data.path=" + images).Append(string.Create(CultureInfo.InvariantCulture, $"optimization.max_steps={Steps}"))];
            var config = run + ".yaml";
            File.WriteAllText(config, Small.Apply(set).ToYaml());
            var off = surroundings.EndsWith("kernels off", StringComparison.Ordinal);
            string[] begin = ["child", "-", "0", "pretrain", config, "--out", run, "-q"];
            var codes = surroundings switch
            {
                "resumed" =>
                    new[] { Child(off, [.. begin, "--max-steps", "23"]),
                        Child(off, "child", "-", "0", "pretrain", "--resume", "--out", run, "-q", "--max-steps",
                            Steps.ToString(CultureInfo.InvariantCulture)) },
                "init" => [Child(off, [.. begin, "--init", Path.Combine(folder, "fp32-kernels")])],
                _ when surroundings.StartsWith("ahead", StringComparison.Ordinal) => [Child(off, "golden-ahead", config, images, run)],
                _ => [Child(off, begin)],
            };
            if (codes.Any(c => c != 0)) return 1;
            Console.WriteLine($"{name}: {DigestOf(run)}");
        }

        return 0;
    }

    /// <summary>A run whose steps are begun before the numbers of those before are read, as on a device.</summary>
    public static int RunAhead(string config, string images, string run)
    {
        var options = PretrainOptions.Load(config);
        using var source = Data.Sources.ImageSources.Open(images);
        using var folder = RunFolder.Create(run);
        var precision = options.Meta.ResolvePrecision() == Precision.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32;
        using var trainer = new Trainer(options, source, KnownObjectives.Create(new PretrainPlan(options)), CPU, precision, runsAhead: true);
        trainer.Begin(folder, options.ToYaml());
        using var observers = new TrainingObservers([.. RunRecords.Create(folder, options.Logging, trainer.Objective.Numbers)]);
        return trainer.Run(folder, observers).Step == Steps ? 0 : 1;
    }

    private static int Child(bool kernelsOff, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Golden).Assembly.Location, .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        if (kernelsOff) start.Environment["JEPASHARP_KERNELS"] = "off";
        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) Console.Error.WriteLine(said.GetAwaiter().GetResult());
        return process.ExitCode;
    }

    private static string DigestOf(string run)
    {
        var latest = Path.Combine(run, "checkpoints", "latest");
        string[] columns = ["epoch", "itr", "loss", "mask-A", "mask-B", "step", "lr", "wd", "momentum"];
        var lines = File.ReadAllLines(Path.Combine(run, "metrics.csv"));
        var head = lines[0].Split(',');
        int[] wanted = [.. columns.Select(c => Array.IndexOf(head, c)).Where(i => i >= 0)];
        var steps = string.Join('\n', lines.Skip(1).Select(l => l.Split(',')).Select(cells => string.Join(',', wanted.Select(i => cells[i]))));
        var measures = Path.Combine(run, "measures.csv");
        return $"{lines.Length - 1} steps, last loss {lines[^1].Split(',')[Array.IndexOf(head, "loss")]}, steps "
            + $"{Short(Encoding.UTF8.GetBytes(steps))}, "
            + $"weights {TensorsOf(Path.Combine(latest, "weights.safetensors"))}, moments "
            + $"{TensorsOf(Path.Combine(latest, "optimizer.safetensors"))}, "
            + $"measures {Short(File.Exists(measures) ? File.ReadAllBytes(measures) : [])}";
    }

    /// <summary>Names and numbers of a safetensors file, whatever the order and the metadata.</summary>
    private static string TensorsOf(string path)
    {
        var file = File.ReadAllBytes(path);
        var head = BitConverter.ToInt32(file, 0);
        using var json = JsonDocument.Parse(file.AsMemory(8, head));
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in json.RootElement.EnumerateObject().Where(t => t.Name != "__metadata__").OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            var place = tensor.Value.GetProperty("data_offsets");
            var (from, to) = (place[0].GetInt32(), place[1].GetInt32());
            digest.AppendData(Encoding.UTF8.GetBytes(tensor.Name));
            digest.AppendData(file.AsSpan(8 + head + from, to - from));
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset())[..12];
    }

    private static string Short(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..12];
}
