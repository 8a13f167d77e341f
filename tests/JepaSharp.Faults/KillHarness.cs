using System.Diagnostics;
using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Faults;

/// <summary>Kills a small run at random moments and in many ways, resumes it, and compares its end with the run that was never stopped, bit for
/// bit.</summary>
/// <param name="say">Told a line for each kill and each end.</param>
internal sealed class KillHarness(Action<string> say)
{
    private static readonly PretrainOptions Options = new()
    {
        Data = new DataOptions { CropSize = 32, BatchSize = 4, NumWorkers = 2, UseHorizontalFlip = true },
        Mask = new MaskOptions { PatchSize = 8, MinKeep = 1 },
        Meta = new MetaOptions
        {
            ModelName = "vit_tiny",
            EmbedDim = 96,
            NumHeads = 2,
            Depth = 2,
            PredDepth = 1,
            PredEmbDim = 48,
            Precision = Precision.Fp32
        },
        Optimization = new OptimizationOptions { Epochs = 24, Warmup = 4 },
        Logging = new LoggingOptions { CheckpointSteps = 2, KeepLast = 2, KeepEvery = 10, Tensorboard = false, EvaluateEvery = 3 },
    };

    // A run that was resumed so often is let go on to its end.
    private const int MostKillsOfARun = 4;

    private readonly string _place = Directory.CreateTempSubdirectory("jepasharp-kills-").FullName;

    private string Images => Path.Combine(_place, "images");

    private string Config => Path.Combine(_place, "config.yaml");

    /// <summary>Kills until there were so many; then lets the last run end.</summary>
    /// <returns>Whether every run ended as the unbroken one did, and every signal was answered as it should be.</returns>
    public bool Run(int kills, ulong seed, IReadOnlyList<Fault>? faults = null)
    {
        faults ??= Enum.GetValues<Fault>();
        SceneFolder.Write(Images, 18, 48, 32, seed: 5);
        File.WriteAllText(Config, Options.ToYaml());
        var clock = Stopwatch.StartNew();
        var whole = Path.Combine(_place, "whole");
        var unbroken = Start(whole, "-", 0, out var saidByWhole);
        WaitUntilItTrains(unbroken, saidByWhole);
        var training = Stopwatch.StartNew();
        if (WaitForExit(unbroken) != 0) return Failed($"the unbroken run did not end well: {saidByWhole}");
        var duration = training.Elapsed;
        var expected = RunEvidence.Of(whole);
        var random = new RandomStream(seed, RandomPurpose.Evaluation);
        var (done, tried, runs, same) = (0, 0, 0, true);
        while (done < kills)
        {
            var place = Directory.CreateDirectory(Path.Combine(_place, string.Create(CultureInfo.InvariantCulture, $"trial-{runs++}"))).FullName;
            var (run, image) = (Path.Combine(place, "run"), new DurableImage(Path.Combine(place, "journal")));
            image.Record(_place);
            image.Record(place);
            for (var k = 0; k < MostKillsOfARun && done < kills; k++)
            {
                var fault = faults[tried++ % faults.Count];
                if (!Strike(fault, run, place, image, duration, ref random, out var ended)) return false;
                if (ended) break;
                done++;
            }

            if (WaitForExit(Start(run, Path.Combine(place, "journal"), 0, out var said)) != 0)
                return Failed($"a run could not go on to its end: {said}");
            var difference = expected.DifferenceTo(RunEvidence.Of(run));
            same &= difference is null;
            say(string.Create(CultureInfo.InvariantCulture, $"run {runs}: {difference ?? "the same bits as the unbroken run"}"));
            Directory.Delete(place, recursive: true);
        }

        say(string.Create(CultureInfo.InvariantCulture,
            $"{done} kills of {runs} runs of {RunEvidence.StepsOf(whole)} steps in {clock.Elapsed.TotalMinutes:F1} minutes: "
                + $"{(same ? "every run ended in the same metrics, measures, weights and moments, bit for bit" : "NOT the same")}"));
        Directory.Delete(_place, recursive: true);
        return same;
    }

    private bool Strike(Fault fault, string run, string place, DurableImage image, TimeSpan duration, ref RandomStream random, out bool ended)
    {
        // Half of the hard ends come in the middle of a checkpoint, at one of its flushes; the others at any moment.
        var isHard = fault >= Fault.Kill;
        var flush = isHard && random.NextInt(2) == 0 ? 1 + random.NextInt(300) : 0;
        var wait = duration * (0.6 * random.NextDouble());
        var isEarly = random.NextInt(12) == 0; // while it starts, reads its checkpoint, ...
        var process = Start(run, Path.Combine(place, "journal"), flush, out var said);
        if (flush == 0)
        {
            if (!isEarly) WaitUntilItTrains(process, said);
            process.WaitForExit(wait);
            if (!process.HasExited) Send(process, fault);
        }

        var code = WaitForExit(process);
        ended = code == 0;
        var at = RunEvidence.StepsOf(run);
        var moment = flush > 0 ? $"at flush {flush}" : string.Create(CultureInfo.InvariantCulture, $"after {wait.TotalSeconds:F2} s");
        if (fault == Fault.PowerLoss && Directory.Exists(run) && !ended) image.LosePower(run, namesSurvive: false);
        if (fault == Fault.PowerLossKeepingNames && Directory.Exists(run) && !ended) image.LosePower(run, namesSurvive: true);
        say(string.Create(CultureInfo.InvariantCulture, $"  {fault} {moment}: exit {code}, {at} steps recorded, {RunEvidence.StepsOf(run)} left"));
        return ended || IsAnswered(fault, code, said.ToString());
    }

    private bool IsAnswered(Fault fault, int code, string said)
    {
        var expected = fault switch { Fault.Interrupt or Fault.InterruptTwice => 130, Fault.Terminate or Fault.Warn => 143, _ => 137 };
        if (said.Trim().Length == 0 && code == 128 + SignalOf(fault)) return true; // the system's own answer, before the program listens
        if (code != expected) return Failed($"{fault} ended in {code}, not {expected}: {said}");
        return !said.Contains("   at ", StringComparison.Ordinal) || Failed("a stack trace: " + said);
    }

    private static void WaitUntilItTrains(Process process, System.Text.StringBuilder said)
    {
        while (!process.HasExited)
        {
            lock (said)
            {
                if (said.ToString().Contains("run folder", StringComparison.Ordinal)) return;
            }

            Thread.Sleep(5);
        }
    }

    private Process Start(string run, string journal, int dieAtFlush, out System.Text.StringBuilder said)
    {
        string[] command =
            RunFolder.HoldsRun(run) ? ["pretrain", "--resume", "--out", run, "-q"] : ["pretrain", Config, "--data", Images, "--out", run, "-q"];
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var word in (string[])[typeof(KillHarness).Assembly.Location, "child", journal, dieAtFlush.ToString(CultureInfo.InvariantCulture),
            .. command]) start.ArgumentList.Add(word);
        var process = Process.Start(start)!;
        var text = said = new System.Text.StringBuilder();
        process.ErrorDataReceived += (_, line) => { lock (text) text.AppendLine(line.Data); };
        process.OutputDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }

    private static int SignalOf(Fault fault) =>
        fault switch { Fault.Interrupt or Fault.InterruptTwice => 2, Fault.Terminate => 15, Fault.Warn => 10, _ => 9 };

    private static void Send(Process process, Fault fault)
    {
        var signal = SignalOf(fault);
        _ = Child.SendSignal(process.Id, signal);
        if (fault != Fault.InterruptTwice) return;
        Thread.Sleep(1); // two that come together are one to the system
        _ = Child.SendSignal(process.Id, signal);
    }

    private static int WaitForExit(Process process)
    {
        process.WaitForExit();
        var code = process.ExitCode;
        process.Dispose();
        return code;
    }

    private bool Failed(string why)
    {
        say($"FAILED: {why} (what there is lies in {_place})");
        return false;
    }
}
