using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using JepaSharp.Tests.Data.Sources;
using JepaSharp.Tests.Runtime.Collectives;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

/// <summary>Ranks that train one run, as threads. With MPI: <c>MpirunTests</c>.</summary>
public sealed class RanksTests : IDisposable
{
    private static readonly PretrainOptions Options = TinyRun.Options with
    {
        Data = TinyRun.Options.Data with { SceneCount = 34 },
        Optimization = TinyRun.Options.Optimization with { Accumulate = 4 },
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Of two steps in an epoch: asked for within it, the stop comes after the next step; at its end, at once.</summary>
    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    public void Stop_AskedOfAnyRank_StopsAllAfterTheSameStep(int asked, int stopped)
    {
        var ends = ThreadRanks.All(2, ranks =>
        {
            using var stop = new CancellationTokenSource();
            return Train(ranks, null, new Listener { AfterStep = step => { if (ranks.Rank == 1 && step == asked) stop.Cancel(); } }, stop.Token);
        });
        Assert.All(ends, end => Assert.Equal((RunOutcome.Stopped, stopped), (end.Outcome, (int)end.Step)));
    }

    /// <summary>Begun by two, gone on with by four, ended by one: the folder is that of one process, but for rounding.</summary>
    [Fact]
    public void Run_GoneOnWithByAnotherNumberOfRanks_IsTheSameRun()
    {
        using var scope = NewDisposeScope();
        var whole = Losses(Collective.Alone, _folder["whole"], null);
        List<float> parts =
        [
            .. ThreadRanks.All(2, r => Losses(r, _folder["parts"], 2))[0],
            .. ThreadRanks.All(4, r => Losses(r, _folder["parts"], 2))[0],
            .. Losses(Collective.Alone, _folder["parts"], null),
        ];
        Assert.Equal(6, whole.Count);
        Assert.Equal(whole.Count, parts.Count);
        foreach (var (expected, found) in whole.Zip(parts)) Assert.Equal(expected, found, 1e-4);
    }

    [Fact]
    public void Ranks_ThatCannotShareAStep_AreRefusedWithNumbersThatCan()
    {
        var refusal = Assert.Throws<JepaException>(() => RankBatches.Of(6, 4));
        Assert.Contains("(1, 2, 3, 6)", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(2, RankBatches.Of(6, 3));
    }

    [Fact]
    public void Ranks_ThatFindOtherImages_AreRefused()
    {
        var ends = ThreadRanks.Run(3, ranks =>
        {
            using var source = new ScenesSource(0, ranks.Rank == 2 ? 30 : 34, 32);
            RankImages.RequireAlike(ranks, source);
            return 0;
        });
        Assert.All(ends, end => Assert.Contains(
            "rank 2 on machine1 (process 1002) finds in 30 rendered scenes", end.Failure!.Message, StringComparison.Ordinal));
        Assert.Contains("30 images, where rank 0 finds 34", ends[0].Failure!.Message, StringComparison.Ordinal);
    }

    /// <summary>Images 5 and 20 cannot be read; which rank meets them is chance, and the first lists both.</summary>
    [Fact]
    public void Images_ThatAnyRankCouldNotRead_AreListedByTheFirst()
    {
        var found = ThreadRanks.All(2, ranks =>
        {
            using var source = new NumberedImages(34, isBroken: i => i is 5 or 20);
            using var trainer = new Trainer(Options, source, KnownObjectives.Create(new PretrainPlan(Options)), CPU, ranks: ranks);
            _ = trainer.Run(null, new Listener());
            return trainer.Unreadable.Select(u => u.Name).Order(StringComparer.Ordinal).ToList();
        });
        Assert.Equal(["image 20", "image 5"], found[0]);
    }

    [Fact]
    public void Images_TooManyUnreadableOnAllRanksTogether_EndTheRunOnAll()
    {
        // Six of 34: three are met by each, which alone would be tolerated.
        var ends = ThreadRanks.Run(2, ranks =>
        {
            using var source = new NumberedImages(34, isBroken: i => i % 6 == 0);
            using var trainer = new Trainer(Options, source, KnownObjectives.Create(new PretrainPlan(Options)), CPU, ranks: ranks);
            return trainer.Run(null, new Listener()).Step;
        });
        Assert.All(ends, end => Assert.Contains("cannot be read", end.Failure!.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Rank_ThatThrowsInAStep_EndsTheRunOnAll_AndTheLastCheckpointIsWhole()
    {
        var ends = ThreadRanks.Run(2, ranks => Train(ranks, _folder["failed"], new Listener
        {
            AfterStep = step =>
            {
                if (ranks.Rank == 1 && step == 3) throw new InvalidOperationException("out of luck");
            },
        }, default));
        var heard = Assert.IsType<RankFailedException>(ends[0].Failure);
        Assert.Equal("rank 1 on machine0 (process 1001): out of luck", heard.Message);
        var end = ThreadRanks.All(2, ranks => Train(ranks, _folder["failed"], new Listener(), default));
        Assert.All(end, e => Assert.Equal(RunOutcome.Completed, e.Outcome));
    }

    private static List<float> Losses(Collective ranks, string folder, int? steps)
    {
        var listener = new Listener();
        using var stop = new CancellationTokenSource();
        var left = steps;
        listener.AfterStep = _ => { if (--left == 1) stop.Cancel(); };
        _ = Train(ranks, folder, listener, ranks.Size == 1 ? default : stop.Token);
        return listener.Losses;
    }

    /// <summary>As <see cref="TinyRun"/>, of which only the first rank has the folder.</summary>
    private static RunEnd Train(Collective ranks, string? path, Listener listener, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        using var source = new ScenesSource(0, Options.Data.SceneCount, Options.Data.SceneSize);
        using var trainer = new Trainer(Options, source, KnownObjectives.Create(new PretrainPlan(Options)), CPU, ranks: ranks);
        if (path is null || !ranks.IsFirst) return trainer.Run(null, listener, stop: stop);
        var isThere = RunFolder.HoldsRun(path);
        using var folder = isThere ? RunFolder.Resume(path) : RunFolder.Create(path);
        if (isThere) trainer.Resume(folder);
        else trainer.Begin(folder, Options.ToYaml());
        return trainer.Run(folder, listener, stop: stop);
    }

    private sealed class Listener : ITrainingObserver
    {
        public List<float> Losses { get; } = [];

        public Action<long>? AfterStep { get; set; }

        public void OnStep(in StepReport step)
        {
            Losses.Add(step.Loss);
            AfterStep?.Invoke(step.Step);
        }
    }
}
