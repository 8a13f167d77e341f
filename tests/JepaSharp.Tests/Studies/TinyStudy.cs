using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Configuration;
using JepaSharp.Studies;
using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.Studies;

/// <summary>A study of seconds in a folder of its own: two sizes of target on twenty-four scenes, and two kinds of labelled images.</summary>
internal sealed class TinyStudy : IDisposable
{
    public const string Text =
        """
        base: base.yaml
        seeds: [0, 1]
        budget: {steps: 14}
        variants:
          one: {mask.num_pred_masks: 1}
          two: {mask: {num_pred_masks: 2}}
        evaluate:
          - {task: knn, data: kinds, test: others, k: 3}
          - {task: count, data: "scenes:40#size=32", test: "scenes:30#size=32&first=40", features: last}
        """;

    private static readonly PretrainOptions Base = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4, SceneCount = 24, SceneSize = 32, NumWorkers = 2 },
        Mask = new MaskOptions { PatchSize = 8, MinKeep = 1 },
        Meta = new MetaOptions
        {
            ModelName = "vit_tiny",
            EmbedDim = 24,
            NumHeads = 2,
            Depth = 1,
            PredDepth = 1,
            PredEmbDim = 12,
            Precision = JepaSharp.Runtime.Precision.Fp32,
            Device = "cpu",
        },
        Optimization = new OptimizationOptions { Epochs = 10, Warmup = 1 },
        Logging = new LoggingOptions { CheckpointSteps = 2, MonitorEvery = 0, Tensorboard = false },
    };

    public TinyStudy(string text = Text)
    {
        File.WriteAllText(Folder["base.yaml"], Base.ToYaml());
        Write(text);
        foreach (var (set, count) in new[] { ("kinds", 8), ("others", 4) })
        {
            for (var i = 0; i < count; i++)
            {
                foreach (var kind in (string[])["smooth", "rough"])
                {
                    var image = kind == "smooth" ? EncodedImages.Picture(32, 32, i) : EncodedImages.Noise(32, 32, (ulong)(i + set.Length));
                    var path = Directory.CreateDirectory(Path.Combine(Folder[set], kind)).FullName;
                    File.WriteAllBytes(Path.Combine(path, $"{set}-{i}.png"), image.ToPng());
                }
            }
        }
    }

    public TemporaryFolder Folder { get; } = new();

    public string File_ => Folder["study.yaml"];

    public string Out => Folder["out"];

    public string Said { get; private set; } = "";

    public TinyStudy Write(string text)
    {
        File.WriteAllText(File_, text);
        return this;
    }

    /// <summary>Runs the command in this process.</summary>
    public int Compare(params string[] more)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        using var stop = new StopSignals(_ => { });
        var code = CommandLine.Run(["compare", File_, "--out", Out, .. more], new Terminal(output, error), stop);
        Said = output.ToString() + error;
        return code;
    }

    /// <summary>The study, opened with what is done of it.</summary>
    public T Opened<T>(Func<StudyRunner, T> look, string? data = null)
    {
        using var plan = StudyPlan.Of(Study.Read(File_), data);
        return look(StudyRunner.Open(plan, Out));
    }

    public string Record(string row, int seed) => Path.Combine(Out, "records", $"{row}.seed-{seed}.json");

    public string Run(string row, int seed) => Path.Combine(Out, "runs", row, $"seed-{seed}");

    public void Dispose() => Folder.Dispose();
}
