using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Runtime;
using JepaSharp.Training;
using TorchSharp;

namespace JepaSharp.Cli;

/// <summary>A run folder opened to look at, with its images: nothing in it is changed.</summary>
internal sealed class FinishedRun : IDisposable
{
    // More than during training, where time counts.
    private static readonly MonitorSize Size = new(512, 256, 4);

    private readonly PixelScaling _scaling;

    private FinishedRun(string folder, PretrainOptions options, ImageSource source, torch.Device device)
    {
        (Folder, Plan, Source, Device) = (folder, new PretrainPlan(options), source, device);
        _scaling = Plan.Scaling(device);
    }

    /// <summary>Full path of the run folder.</summary>
    public string Folder { get; }

    /// <summary>The run's plan, with other images where such were given.</summary>
    public PretrainPlan Plan { get; }

    /// <summary>The images.</summary>
    public ImageSource Source { get; }

    /// <summary>What a user should know, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Where to compute.</summary>
    public torch.Device Device { get; }

    /// <summary>Opens a run and its images.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="data">Images instead of the run's own.</param>
    /// <param name="test">Labelled images to score on, instead of the run's own.</param>
    /// <param name="device">auto, cpu, cuda or cuda:N; null for auto.</param>
    /// <exception cref="JepaException">There is no run, or its images are gone.</exception>
    public static FinishedRun Open(string folder, string? data = null, string? test = null, string? device = null)
    {
        var full = Path.GetFullPath(folder);
        if (!RunFolder.HoldsRun(full))
            throw new JepaException($"There is no run in {full}: {(Directory.Exists(full) ? "it holds no config.yaml" : "it does not exist")}. Give the folder of a run of jepa pretrain.", isUsage: true);
        var options = PretrainOptions.Load(Path.Combine(full, "config.yaml"));
        DecodingBound.Megabytes = options.Data.MemoryMb;
        options = options with { Data = options.Data with { Path = data ?? options.Data.Path, TestPath = test ?? options.Data.TestPath } };
        var source = RunImages.Open(options.Data, full, given: data is not null);
        var note = data is null && TrainedImages.DifferenceTo(full, source) is { } difference
            ? $"{source.Description} does not hold the images that the run was trained on ({difference}): what follows is of those that are there now"
            : null;
        if (source is ScenesSource scenes) scenes.RenderAll(Environment.ProcessorCount);
        return new FinishedRun(full, options, source, TorchBackend.ChooseDevice(device ?? "auto")) { Notes = note is null ? [] : [note] };
    }

    /// <summary>Measures and ranks checkpoints of the run.</summary>
    public CheckpointRanking RankCheckpoints(IReadOnlyList<KeptCheckpoint> checkpoints, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        using var probe = OnlineProbe.For(Plan.Options, Source, Device);
        var sample = MonitorSample.Draw(Source, RunMonitors.Transform(Plan.Options.Data), Size, Plan.Seed);
        using var objective = KnownObjectives.Create(Plan, Device);
        return CheckpointRanking.Measure(
            objective, checkpoints, new RunMonitor(sample, _scaling), probe.Scores ? encoder => probe.Measure(encoder, cancellation) : null, progress, cancellation);
    }

    public void Dispose()
    {
        _scaling.Dispose();
        Source.Dispose();
    }
}
