using JepaSharp.Configuration;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Masking;
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
        var (mean, std) = (options.Data.Mean, options.Data.Std);
        _scaling = new PixelScaling([mean.Red, mean.Green, mean.Blue], [std.Red, std.Green, std.Blue], device);
    }

    /// <summary>Full path of the run folder.</summary>
    public string Folder { get; }

    /// <summary>The run's plan, with other images where such were given.</summary>
    public PretrainPlan Plan { get; }

    /// <summary>The images.</summary>
    public ImageSource Source { get; }

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
        options = options with { Data = options.Data with { Path = data ?? options.Data.Path, TestPath = test ?? options.Data.TestPath } };
        var source = options.Data.OpenSource();
        if (source is ScenesSource scenes) scenes.RenderAll(Environment.ProcessorCount);
        return new FinishedRun(full, options, source, TorchBackend.ChooseDevice(device ?? "auto"));
    }

    /// <summary>Measures and ranks checkpoints of the run.</summary>
    public CheckpointRanking RankCheckpoints(IReadOnlyList<KeptCheckpoint> checkpoints, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        using var probe = OnlineProbe.For(Plan.Options, Source, Device);
        var sample = MonitorSample.Draw(Source, RunMonitors.Transform(Plan.Options.Data), new MultiBlockMasking(Plan.Masking), Size, (ulong)Plan.Options.Meta.Seed);
        return CheckpointRanking.Measure(Plan, checkpoints, new RunMonitor(sample, _scaling, Device), probe.Scores ? encoder => probe.Measure(encoder, cancellation) : null, Device, progress, cancellation);
    }

    public void Dispose()
    {
        _scaling.Dispose();
        Source.Dispose();
    }
}
