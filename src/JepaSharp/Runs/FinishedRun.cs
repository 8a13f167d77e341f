using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Reports;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Checkpoints;
using JepaSharp.Weights;
using TorchSharp;

namespace JepaSharp.Runs;

/// <summary>A run folder opened to look at, with its images: nothing in it is changed but by <see cref="HandOver"/> and
/// <see cref="WriteReport"/>.</summary>
public sealed class FinishedRun : IDisposable
{
    // More than during training, where time counts.
    private static readonly MonitorSize Size = new(512, 256, 4);

    private const int MostShown = 8;
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

    /// <summary>The images that the latest measures left out because they could not be read, a set each.</summary>
    public IReadOnlyList<LeftOutImages> LeftOut { get; private set; } = [];

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
            throw new JepaException(
                $"There is no run in {full}: {(Directory.Exists(full) ? "it holds no config.yaml" : "it does not exist")}. Give the folder of a run "
                    + $"of jepa pretrain.", isUsage: true);
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
    public CheckpointRanking RankCheckpoints(
        IReadOnlyList<KeptCheckpoint> checkpoints, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        using var probe = RunProbe.For(Plan.Options, Source, Device);
        using var objective = KnownObjectives.Create(Plan, Device);
        var work = objective.Cost([0, 1], Step.Untracked(Plan.Seed, microBatch: -1)).Whole;
        var sample = MonitorSample.Draw(Source, RunMonitors.Transform(Plan.Options.Data), Size, Plan.Seed, work);
        var ranking = CheckpointRanking.Measure(
            objective, checkpoints, new RunMonitor(sample, _scaling),
            probe.Scores ? encoder => probe.Measure(encoder, cancellation: cancellation) : null, progress, cancellation);
        LeftOut = [.. sample.LeftOut is { } seen ? [seen] : Array.Empty<LeftOutImages>(), .. probe.LeftOut];
        return ranking with { LeftOut = [.. ranking.LeftOut, .. LeftOut.Select(l => l.Sentence)], Unreadable = LeftOut };
    }

    /// <summary>Hands over one of the measured checkpoints: copies it to <c>checkpoints/best</c>, which is what the run's folder stands for
    /// where weights are asked for.</summary>
    /// <param name="ranking">Checkpoints of this run.</param>
    /// <returns>What was handed over and why, as a sentence without its end.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    public string HandOver(CheckpointRanking ranking)
    {
        ArgumentNullException.ThrowIfNull(ranking);
        var (checkpoint, why) = ranking.HandedOver();
        _ = BestCheckpoint.Keep(checkpoint.Path, $"Handed over: {why}.");
        return why;
    }

    /// <summary>At most eight of the run's checkpoints, evenly spaced: a report is wanted soon after a run.</summary>
    /// <param name="images">As many as can be measured by looking at so many images; null for no such bound.</param>
    /// <exception cref="JepaException">There is none in the run.</exception>
    public IReadOnlyList<KeptCheckpoint> CheckpointsToShow(double? images = null)
    {
        if (images is not { } bound) return CheckpointRanking.Some(Folder, MostShown);
        using var probe = RunProbe.For(Plan.Options, Source, Device);
        var most = (int)Math.Min(MostShown, bound / (Math.Min(Size.Images, Source.Count) + (probe.Scores ? probe.Images : 0)));
        return most < 1 ? [] : CheckpointRanking.Some(Folder, most);
    }

    /// <summary>Writes <c>report.html</c> with the encoder of the newest checkpoint that was measured.</summary>
    /// <param name="ranking">The checkpoints, measured; null to leave them out.</param>
    /// <param name="images">Images that the pictures may take; null for no such bound.</param>
    /// <param name="cancellation">Stops between batches of images.</param>
    /// <returns>The page's path.</returns>
    /// <exception cref="IOException">The page cannot be written.</exception>
    public string WriteReport(CheckpointRanking? ranking, double? images = null, CancellationToken cancellation = default)
    {
        using var trained = NewestEncoder(ranking);
        using var learned = Learned(ranking);
        return RunReport.Write(
            Folder, Source, RunMonitors.Transform(Plan.Options.Data), trained, Device, ranking, (int)Math.Min(int.MaxValue, images ?? int.MaxValue),
            learned, cancellation);
    }

    /// <summary>Draws what a report shows of the run's images by the encoder of its newest checkpoint; the run may be going on.</summary>
    /// <param name="images">Among how many images neighbours are looked for, at most.</param>
    /// <param name="cancellation">Stops between batches of images.</param>
    /// <exception cref="JepaException">There is no whole checkpoint yet, or an image cannot be read.</exception>
    public ReportPictures DrawPictures(int images, CancellationToken cancellation = default)
    {
        using var trained = NewestEncoder(null);
        using var learned = Learned(null);
        using var beginning = KnownObjectives.Create(Plan, Device);
        return RunReport.Pictures(
            beginning, Plan.Seed, Source, RunMonitors.Transform(Plan.Options.Data), _scaling, trained, Device, images, learned, cancellation);
    }

    /// <summary>Scores the encoder of the newest checkpoint by the run's probes: on its test images, or on a held-out part of its images.</summary>
    /// <param name="progress">Is told how many images were looked at.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>Measures by name: knn_accuracy and ridge_accuracy where there are labels, rankme and so on.</returns>
    /// <exception cref="JepaException">There is no whole checkpoint, or too many images cannot be read; of a few, <see cref="LeftOut"/>
    /// says.</exception>
    public IReadOnlyDictionary<string, double> Measure(IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        using var weights = PretrainedWeights.Open(Folder, Plan.Encoder.Heads);
        using var encoder = PretrainedNetworks.LoadEncoder(weights, device: Device);
        using var probe = RunProbe.For(Plan.Options, Source, Device);
        var measures = probe.Measure(encoder, progress, cancellation);
        LeftOut = probe.LeftOut;
        return measures;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _scaling.Dispose();
        Source.Dispose();
    }

    /// <summary>The objective with the weights of the same checkpoint; null where it shows nothing that it learned.</summary>
    private Objective? Learned(CheckpointRanking? ranking)
    {
        using (var shapes = KnownObjectives.Create(Plan, torch.META))
        {
            if (!shapes.DrawsWhatItLearned) return null;
        }

        var objective = KnownObjectives.Create(Plan, Device);
        try
        {
            CheckpointRanking.Load(NewestPath(ranking), objective);
            return objective;
        }
        catch
        {
            objective.Dispose();
            throw;
        }
    }

    private string NewestPath(CheckpointRanking? ranking) =>
        ranking?.Ranked.MaxBy(c => c.Step)?.Path is { } path && Directory.Exists(path) ? path : Folder;

    /// <summary>The encoder of the newest checkpoint that was measured, or of the run's latest where that one has been removed since.</summary>
    private VisionTransformer NewestEncoder(CheckpointRanking? ranking)
    {
        try
        {
            return Load(ranking?.Ranked.MaxBy(c => c.Step)!.Path ?? Folder);
        }
        catch (JepaException)
        {
            return Load(Folder);
        }

        VisionTransformer Load(string path)
        {
            using var weights = PretrainedWeights.Open(path, Plan.Encoder.Heads);
            return PretrainedNetworks.LoadEncoder(weights, device: Device);
        }
    }
}
