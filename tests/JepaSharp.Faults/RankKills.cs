using System.Diagnostics;
using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Faults;

/// <summary>Strikes a random rank of a small run of two at a random moment, goes on with the run, and compares its end with the run that was never
/// stopped, bit for bit.</summary>
/// <param name="launcher">What starts the ranks.</param>
/// <param name="say">Told a line for each strike and each end.</param>
internal sealed class RankKills(MpiLauncher launcher, Action<string> say)
{
    private const int Ranks = 2, MostStrikesOfARun = 4;
    private static readonly TimeSpan LongestEnd = TimeSpan.FromMinutes(1), LongestRun = TimeSpan.FromMinutes(10);

    private static readonly PretrainOptions Options = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4, NumWorkers = 1, UseHorizontalFlip = true },
        Mask = new MaskOptions { PatchSize = 8, MinKeep = 1 },
        Meta = new MetaOptions
        {
            ModelName = "vit_tiny",
            EmbedDim = 96,
            NumHeads = 2,
            Depth = 2,
            PredDepth = 1,
            PredEmbDim = 48,
            Device = "cpu",
            Precision = Precision.Fp32
        },
        Optimization = new OptimizationOptions { Epochs = 24, Warmup = 4, Accumulate = 2 },
        Logging = new LoggingOptions { CheckpointSteps = 2, KeepLast = 2, KeepEvery = 10, Tensorboard = false, EvaluateEvery = 6 },
    };

    private readonly string _place = Directory.CreateTempSubdirectory("jepasharp-ranks-").FullName;

    /// <summary>Strikes until it has so often; then lets the last run end.</summary>
    /// <returns>Whether every run ended as the unbroken one did, every signal was answered, and nobody waited for longer than a minute.</returns>
    public bool Run(int strikes, ulong seed, IReadOnlyList<Fault>? faults = null)
    {
        faults ??= [Fault.Kill, Fault.Terminate, Fault.Kill, Fault.Warn, Fault.Kill, Fault.Interrupt];
        SceneFolder.Write(Path.Combine(_place, "images"), 18, 48, 32, seed: 5);
        File.WriteAllText(Path.Combine(_place, "config.yaml"), Options.ToYaml());
        var clock = Stopwatch.StartNew();
        var whole = Path.Combine(_place, "whole");
        if (!Finish(whole, out var duration)) return false;
        var expected = RunEvidence.Of(whole);
        var random = new RandomStream(seed, RandomPurpose.Evaluation);
        var (done, runs, same) = (0, 0, true);
        while (done < strikes)
        {
            var run = Path.Combine(_place, string.Create(CultureInfo.InvariantCulture, $"run-{runs++}"));
            for (var k = 0; k < MostStrikesOfARun && done < strikes; k++)
            {
                if (!Strike(faults[done % faults.Count], run, duration, ref random, out var ended)) return false;
                if (ended) break;
                done++;
            }

            if (!Finish(run, out _)) return false;
            var difference = expected.DifferenceTo(RunEvidence.Of(run));
            same &= difference is null;
            say(string.Create(CultureInfo.InvariantCulture, $"run {runs}: {difference ?? "the same bits as the unbroken run"}"));
            Directory.Delete(run, recursive: true);
        }

        say(string.Create(CultureInfo.InvariantCulture,
            $"{launcher.Name}: {done} strikes at random ranks of {runs} runs of {RunEvidence.StepsOf(whole)} steps in "
                + $"{clock.Elapsed.TotalMinutes:F1} minutes: "
                + $"{(same ? "every run ended in the same metrics, measures, weights and moments, bit for bit" : "NOT the same")}"));
        Directory.Delete(_place, recursive: true);
        return same;
    }

    private bool Strike(Fault fault, string run, TimeSpan duration, ref RandomStream random, out bool ended)
    {
        var (wait, rank) = (duration * (0.7 * random.NextDouble()), random.NextInt(Ranks));
        using var process = Start(run);
        process.WaitFor("run folder");
        Thread.Sleep(wait);
        var ids = process.Ranks();
        ended = ids.Count < Ranks;
        if (!ended) _ = Child.SendSignal(ids[rank], SignalOf(fault));
        var clock = Stopwatch.StartNew();
        var code = process.WaitForExit(LongestEnd);
        say(string.Create(CultureInfo.InvariantCulture,
            $"  {fault} of rank {rank} after {wait.TotalSeconds:F2} s: exit {code} in {clock.Elapsed.TotalSeconds:F1} s, "
                + $"{RunEvidence.StepsOf(run)} steps"));
        if (code is null) return Failed($"the others of a rank that was struck still wait after a minute: {process.Said}");
        if (process.Said.Contains("   at ", StringComparison.Ordinal)) return Failed($"a stack trace: {process.Said}");
        ended |= code == 0;
        var expected = fault switch { Fault.Interrupt => 130, Fault.Terminate or Fault.Warn => 143, _ => 137 };
        // The launcher says 137 of a rank that was killed, or what the others ended with.
        return ended || code == expected || (fault == Fault.Kill && code != 0) || Failed($"{fault} ended in {code}, not {expected}: {process.Said}");
    }

    private bool Finish(string run, out TimeSpan duration)
    {
        using var process = Start(run);
        process.WaitFor("run folder");
        var clock = Stopwatch.StartNew();
        var code = process.WaitForExit(LongestRun);
        duration = clock.Elapsed;
        return code == 0 || Failed($"a run did not come to its end ({code}): {process.Said}");
    }

    private RankedProcess Start(string run) => launcher.Start(Ranks, RunFolder.HoldsRun(run)
        ? ["pretrain", "--resume", "--out", run, "-q"]
        : ["pretrain", Path.Combine(_place, "config.yaml"), "--data", Path.Combine(_place, "images"), "--out", run, "-q"],
        ("OMP_NUM_THREADS", "1"));

    private static int SignalOf(Fault fault) => fault switch { Fault.Interrupt => 2, Fault.Terminate => 15, Fault.Warn => 10, _ => 9 };

    private bool Failed(string why)
    {
        say($"FAILED: {why} (what there is lies in {_place})");
        return false;
    }
}
