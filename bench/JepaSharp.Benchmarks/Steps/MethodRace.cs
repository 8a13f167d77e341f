using System.Globalization;
using System.Text.Json;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>What one process measured of a method's steps.</summary>
/// <param name="Step">Seconds, memory, loss and phases.</param>
/// <param name="Operations">Counted operations of a step.</param>
internal sealed record MethodMeasure(StepMeasure Step, double Operations);

/// <summary>Times the steps of methods other than I-JEPA and their peers' in turn, with I-JEPA's beside them where its shape is the same.</summary>
internal static class MethodRace
{
    private const int Unmeasured = 2;

    private static readonly string[] Known = ["peer", "precision", "rounds", "steps", "attention", "batch"];

    /// <summary>Takes steps in this process, and prints one line of JSON.</summary>
    public static int Run(string name, IReadOnlyList<string> words)
    {
        var arguments = new StepArguments(words, "precision", "steps", "warmup", "batch");
        using var bench = new MethodBench(Shape(name, arguments), arguments);
        var seconds = new List<double>();
        var (loss, operations, unmeasured) = (0.0, 0.0, arguments.Number("warmup", Unmeasured));
        for (var i = 0; i < unmeasured + arguments.Number("steps", 6); i++)
        {
            if (i == unmeasured) bench.Clock.Clear();
            var (time, result) = bench.Step();
            (loss, operations) = (result.Loss, result.Operations?.Total ?? 0);
            if (i >= unmeasured) seconds.Add(time);
        }

        var phases = bench.Clock.Totals.ToDictionary(t => t.Phase, t => t.Total.TotalSeconds / seconds.Count);
        var step = new StepMeasure(Median.Of(seconds), ProcessMemory.Peak, loss, phases, seconds, bench.Computation.Key);
        Console.WriteLine(JsonSerializer.Serialize(new MethodMeasure(step, operations)));
        return 0;
    }

    /// <summary>Runs the rounds and prints a table.</summary>
    public static int Race(string names, IReadOnlyList<string> words)
    {
        var arguments = new StepArguments(words, Known);
        if (arguments.Text("peer", "") is not { Length: > 0 } peer)
            throw new JepaException(
                "race-method needs --peer \"COMMAND PREFIX\", the folder's programs to race, as in \"python3 bench/peer/\".", isUsage: true);
        Console.WriteLine(Processor.Detect().Model + "\n\n| step, computed in | images/s | peer | faster (least to most) | libtorch's operators "
            + "| faster than those | peak MiB | peer's | ratio | operations | seconds to I-JEPA's | operations to I-JEPA's |\n"
            + string.Concat(Enumerable.Repeat("|---", 12)) + "|");
        foreach (var name in names.Split(','))
        {
            var rounds = Enumerable.Range(0, arguments.Number("rounds", 3)).Select(_ => Round(name, peer, arguments)).ToList();
            Console.WriteLine(Row(Shape(name, arguments), rounds));
        }

        return 0;
    }

    private static MethodShape Shape(string name, StepArguments arguments)
    {
        var shape = MethodShape.Named(name);
        return shape with { Batch = arguments.Number("batch", shape.Batch) };
    }

    private static MethodRound Round(string name, string peer, StepArguments arguments)
    {
        var (shape, steps, precision) = (Shape(name, arguments), arguments.Number("steps", 6), arguments.Text("precision", "auto"));
        string Step(string key) => $"method-step {name} --precision {key} --steps {steps} --batch {shape.Batch}";
        var ours = JsonSerializer.Deserialize<MethodMeasure>(ChildProcess.Self(Step(precision)))!;
        var format = precision == "bf16" ? precision : "fp32";
        var program = $"{peer}{name.Split('-')[0]}_step.py";
        using var line = JsonDocument.Parse(ChildProcess.Command(
            $"{program} {shape.Peer} --batch {shape.Batch} --precision {format} --steps {steps}"));
        double Value(string key) => line.RootElement.GetProperty(key).GetDouble();
        var libtorch = JsonSerializer.Deserialize<MethodMeasure>(ChildProcess.Self(Step("auto"), kernels: false))!;
        var jepa = shape.Beside is { } beside && StepShape.Named(beside).Batch == shape.Batch
            ? JsonSerializer.Deserialize<StepMeasure>(ChildProcess.Self($"step --shape {beside} --precision {precision} --steps {steps}"))
            : null;
        var theirs = new PeerMeasure(format, Value("seconds_per_step"), Value("min_step"), Value("peak_rss_mb"));
        var round = new MethodRound(ours, theirs, libtorch, jepa);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{shape.Name}: {ours.Step.Seconds:F3} s ({ours.Step.Computation}), the peer {theirs.Seconds:F3} s, "
                + $"libtorch {libtorch.Step.Seconds:F3} s"));
        return round;
    }

    private static string Row(MethodShape shape, IReadOnlyList<MethodRound> rounds)
    {
        double Middle(Func<MethodRound, double> of) => Median.Of(rounds.Select(of));
        string Ratio(Func<MethodRound, double> of) => string.Create(CultureInfo.InvariantCulture,
            $"**{Middle(of):F2}** ({rounds.Min(of):F2} to {rounds.Max(of):F2})");
        var beside = shape.Beside is { } name && rounds.All(r => r.Jepa is not null)
            ? string.Create(CultureInfo.InvariantCulture,
                $"{Middle(r => r.Ours.Step.Seconds / r.Jepa!.Seconds):F2} | "
                    + $"{rounds[0].Ours.Operations / CountedStep.Of(StepShape.Named(name)).Total:F2}")
            : "| ";
        return string.Create(CultureInfo.InvariantCulture,
            $"| {shape.Name}, {shape.Batch} images, {rounds[0].Ours.Step.Computation} | {shape.Batch / Middle(r => r.Ours.Step.Seconds):F1} | "
                + $"{shape.Batch / Middle(r => r.Peer.Seconds):F1} | {Ratio(r => r.Peer.Seconds / r.Ours.Step.Seconds)} | "
                + $"{shape.Batch / Middle(r => r.Libtorch.Step.Seconds):F1} | {Ratio(r => r.Libtorch.Step.Seconds / r.Ours.Step.Seconds)} | "
                + $"{Middle(r => r.Ours.Step.PeakMegabytes):F0} | {Middle(r => r.Peer.Megabytes):F0} | "
                + $"{Middle(r => r.Ours.Step.PeakMegabytes / r.Peer.Megabytes):F2} | {rounds[0].Ours.Operations / 1e9:F0} G | {beside} |");
    }

    private sealed record MethodRound(MethodMeasure Ours, PeerMeasure Peer, MethodMeasure Libtorch, StepMeasure? Jepa);
}
