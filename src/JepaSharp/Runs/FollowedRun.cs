using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using TorchSharp;

namespace JepaSharp.Runs;

/// <summary>A run's part on a rank other than the first: it is told what to train, trains its share of every step, and leaves folder, monitors and
/// probes to the first.</summary>
public sealed class FollowedRun : IDisposable
{
    private readonly ImageSource _source;

    private FollowedRun(ImageSource source, Trainer trainer) => (_source, Trainer) = (source, trainer);

    /// <summary>The trainer.</summary>
    public Trainer Trainer { get; }

    /// <summary>Waits until the first rank has its run, and builds what this one needs for it.</summary>
    /// <param name="ranks">All of them.</param>
    /// <exception cref="JepaException">Something that the first has is missing here.</exception>
    public static FollowedRun Of(Collective ranks)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        var brief = JsonSerializer.Deserialize<RunBrief>(ranks.Share((byte[]?)null))!;
        var options = PretrainOptions.Parse(brief.Options);
        DecodingBound.Megabytes = options.Data.MemoryMb;
        var device = TorchBackend.ChooseDevice(options.Meta.Device);
        RunBrief.JoinDevices(ranks, device);
        var source = options.Data.OpenSource();
        try
        {
            RankImages.RequireAlike(ranks, source);
            var objective = KnownObjectives.Create(new PretrainPlan(options), device);
            var computation = SharedComputation.Here(ranks, device, brief.Computation).Computation;
            return new FollowedRun(source, new Trainer(options, source, objective, device, computation, ranks: ranks));
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Trains to the end, or until all are told to stop.</summary>
    /// <param name="stop">Stops all, after the step.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public RunEnd Train(CancellationToken stop = default) => Trainer.Run(null, new Silence(), stop: stop);

    /// <inheritdoc/>
    public void Dispose()
    {
        Trainer.Dispose();
        _source.Dispose();
    }

    /// <summary>The first rank tells.</summary>
    private sealed class Silence : ITrainingObserver;
}

/// <summary>What the first rank tells the others of a run.</summary>
/// <param name="Options">The configuration, YAML.</param>
/// <param name="Computation">How the networks compute: all alike.</param>
internal sealed record RunBrief(string Options, string Computation)
{
    /// <summary>Tells the others, and makes sure that devices and images go together. On the first rank.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="options">Of this process.</param>
    /// <param name="computation">Chosen by measuring.</param>
    /// <param name="device">Where the first computes.</param>
    /// <param name="source">The images.</param>
    /// <exception cref="JepaException">The ranks do not go together.</exception>
    public static void Tell(Collective ranks, PretrainOptions options, Computation computation, torch.Device device, ImageSource source)
    {
        if (ranks.Size == 1) return;
        var brief = new RunBrief(RunPaths.Whole(options).ToYaml(), computation.Key);
        _ = ranks.Share(JsonSerializer.SerializeToUtf8Bytes(brief));
        JoinDevices(ranks, device);
        RankImages.RequireAlike(ranks, source);
    }

    /// <summary>Makes one group of the ranks' GPUs, where they have some.</summary>
    /// <exception cref="JepaException">Some have, some have not; or NCCL is missing.</exception>
    public static void JoinDevices(Collective ranks, torch.Device device)
    {
        var isGpu = device.type == DeviceType.CUDA;
        RankDevices.RequireAlike(ranks, isGpu ? "cuda" : "cpu");
        if (isGpu) ranks.Gpus = new NcclSums(ranks, NcclLibrary.Load());
    }
}
