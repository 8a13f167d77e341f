using System.Text.Json;
using JepaSharp.Benchmarks.Steps;
using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks.Amx;

/// <summary>Everything that a first machine with AMX should say in one go: whether the products are right, what they multiply at, what a step
/// takes.</summary>
internal static class AmxBenchmark
{
    private const int NothingToMeasure = 77;

    public static int Run(IReadOnlyList<string> words)
    {
        var options = new StepArguments(words, "rounds", "steps", "shape");
        if (AmxSupport.Missing is { } missing)
        {
            Console.Error.WriteLine($"There is nothing to measure here: {missing}.");
            return NothingToMeasure;
        }

        var amx = new AmxTileProducts(AmxCode.Placed);
        Console.WriteLine($"# AMX on {Processor.Detect().Model}\n\n{WorkerThreads.Shared.Count} threads.\n");
        if (!AmxCheck.Run(amx.Run, TileProducts.Pairs.Run))
        {
            Console.Error.WriteLine("The products are wrong: nothing else is measured.");
            return 1;
        }

        AmxRates.Run(amx.Run, TileProducts.Pairs.Run, TileProducts.Singles.Run);
        AmxCode.Release();
        Race(options);
        return 0;
    }

    /// <summary>A step of every shape with and without AMX in turn, each in a process of its own.</summary>
    private static void Race(StepArguments options)
    {
        Console.WriteLine("\n## Steps\n\nSeconds, with bfloat16 vectors and with AMX in turn; the losses are those of the last step.\n");
        Console.WriteLine("| shape | vectors | AMX | ratio | loss | loss, AMX | phases, AMX |\n|---|---|---|---|---|---|---|");
        var chosen = options.Text("shape", "all");
        foreach (var shape in chosen == "all" ? StepShape.Raced : [chosen])
        {
            for (var round = 0; round < options.Number("rounds", 3); round++)
            {
                var (without, with) = (Step(shape, options, "bf16-dot"), Step(shape, options, "bf16-amx"));
                var phases = string.Join(", ", with.Phases.Select(p => $"{p.Key} {p.Value:f3}"));
                Console.WriteLine(
                    $"| {shape} | {without.Seconds:f3} | {with.Seconds:f3} | {without.Seconds / with.Seconds:f2} | {without.Loss:g7} | "
                        + $"{with.Loss:g7} | {phases} |");
            }
        }
    }

    private static StepMeasure Step(string shape, StepArguments options, string kernels)
    {
        var line = ChildProcess.Self($"step --shape {shape} --precision {kernels} --steps {options.Number("steps", 6)}");
        return JsonSerializer.Deserialize<StepMeasure>(line)!;
    }
}
