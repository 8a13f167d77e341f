using System.Diagnostics;
using System.Runtime;
using JepaSharp.Kernels;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>How long one block takes by one computation.</summary>
/// <param name="Computation">Which.</param>
/// <param name="Milliseconds">The fastest of several passes: other work on a machine only ever adds.</param>
public sealed record ComputationTiming(Computation Computation, double Milliseconds)
{
    /// <summary>Whether it is processor time of one core, because other programs had the rest; else time on all cores.</summary>
    public bool OnOneCore { get; init; }
}

/// <summary>Work that is timed.</summary>
internal interface ITimedWork : IDisposable
{
    /// <summary>Why it cannot be done; null where it can.</summary>
    string? Misfit { get; }

    /// <summary>Does it once.</summary>
    void Run();
}

/// <summary>Times computations on the work that they would do.</summary>
/// <remarks>
/// In turn, in rounds, so that other work meets all alike. On all cores and by the clock where the machine is idle; where other programs take a good
/// part of it, by the processor time of one thread that does everything, which is the same beside other work.
/// </remarks>
internal static class ComputationTimings
{
    // What was compiled in haste is compiled again, better, after a tenth of a second without new code and then some thirty calls; where there is one
    // core, .NET waits ten times as long before it counts.
    private static readonly bool IsOneCore = Environment.ProcessorCount == 1;
    private static readonly int WarmCalls = IsOneCore ? 40 : 16, QuietPauses = IsOneCore ? 3 : 2;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(IsOneCore ? 1200 : 110);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(IsOneCore ? 20 : 4);
    private static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(400);
    private const int FewestRounds = 2, MostRounds = 12;

    // Others' part of the processors above which the clock says too little.
    private const double Busy = 0.2;

    // One that takes so many times as long as another is not timed again; or not at all.
    private const double Hopeless = 1.6, Out = 2;

    /// <summary>Every computation that can do the work; those that are many times slower are left out.</summary>
    public static IReadOnlyList<ComputationTiming> Of(BlockShape shape, IReadOnlyList<Computation> computations)
    {
        var candidates = computations.Where(IsWorthTiming).ToList();
        var share = new ProcessorShare();
        Warm(shape, candidates);
        var timings = Of(shape, candidates, static (shape, computation) => new TimedBlock(shape, computation), Clock);
        if (share.OfOthers is not > Busy) return timings;

        var threads = get_num_threads();
        set_num_threads(1);
        using var oneThread = WorkerThreads.Shared.Alone();
        try
        {
            var alone = Of(shape, candidates, static (shape, computation) => new TimedBlock(shape, computation), () => ThreadTime.Now);
            return [.. alone.Select(t => t with { OnOneCore = true })];
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    /// <summary>The same with work and clock of the caller's.</summary>
    internal static IReadOnlyList<ComputationTiming> Of(
        BlockShape shape, IReadOnlyList<Computation> computations, Func<BlockShape, Computation, ITimedWork> build, Func<TimeSpan> clock)
    {
        var works = computations.Select(computation => (Computation: computation, Work: build(shape, computation))).ToList();
        try
        {
            var running = works.Where(w => w.Work.Misfit is null).ToList();
            var best = running.ToDictionary(w => w.Computation, _ => double.PositiveInfinity);
            var begun = Stopwatch.StartNew();
            for (var round = 0; round < FewestRounds || (running.Count > 1 && round < MostRounds && begun.Elapsed < Budget); round++)
            {
                foreach (var (computation, work) in running)
                {
                    var from = clock();
                    work.Run();
                    best[computation] = Math.Min(best[computation], (clock() - from).TotalMilliseconds);
                }

                if (round == 0 || running.Count == 0) continue; // once may be chance
                var limit = best.Values.Min() * Hopeless;
                _ = running.RemoveAll(w => best[w.Computation] > limit);
            }

            return [.. best.Where(b => double.IsFinite(b.Value)).Select(b => new ComputationTiming(b.Key, b.Value))];
        }
        finally
        {
            foreach (var (_, work) in works) work.Dispose();
        }
    }

    private static TimeSpan Clock() => Stopwatch.GetElapsedTime(0);

    /// <summary>Where libtorch multiplies bfloat16 many times slower than float32, as on processors without instructions for it, a whole block would
    /// take seconds.</summary>
    private static bool IsWorthTiming(Computation computation)
    {
        if (computation is not { Products: ProductMethod.Libtorch, Precision: ScalarType.BFloat16 }) return true;
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        return Product(ScalarType.BFloat16) < Out * Product(ScalarType.Float32);
    }

    private static double Product(ScalarType precision)
    {
        Tensor rows = ones([64, 256], precision), weights = ones([512, 256], precision);
        var best = double.PositiveInfinity;
        for (var time = 0; time < 8; time++)
        {
            var begun = ThreadTime.Now;
            _ = nn.functional.linear(rows, weights);
            best = Math.Min(best, (ThreadTime.Now - begun).TotalMilliseconds);
        }

        return best;
    }

    /// <summary>Calls until nothing is compiled any more: code that was compiled in haste is many times slower, and which computation is still being
    /// compiled is chance.</summary>
    private static void Warm(BlockShape shape, IReadOnlyList<Computation> computations)
    {
        var small = shape with { Width = 32, Heads = 2, Hidden = 64, Tokens = 8 };
        var works = computations.Where(c => c.Products != ProductMethod.Libtorch).Select(c => new TimedBlock(small, c, sequences: 2)).ToList();
        var (clock, quiet) = (Stopwatch.StartNew(), 0);
        while (works.Count > 0 && quiet < QuietPauses && clock.Elapsed < Longest)
        {
            foreach (var work in works)
            {
                for (var call = 0; call < WarmCalls; call++) work.Run();
            }

            var before = JitInfo.GetCompiledMethodCount();
            Thread.Sleep(Pause);
            quiet = JitInfo.GetCompiledMethodCount() == before ? quiet + 1 : 0;
        }

        foreach (var work in works) work.Dispose();
    }
}
