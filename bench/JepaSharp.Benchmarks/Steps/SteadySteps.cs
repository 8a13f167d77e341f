using System.Globalization;
using static TorchSharp.torch;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>Watches a thousand steps for anything that grows: live tensors, resident memory, managed memory and how much of it a step asks
/// for.</summary>
internal static class SteadySteps
{
    private const int Every = 100;

    // The garbage collector's own working set and the allocator's free lists come and go by about this much.
    private const double LooseMegabytes = 16;

    public static int Run(IReadOnlyList<string> words)
    {
        var arguments = new StepArguments(words, "steps", "precision", "shape");
        var shape = StepShape.Parse(arguments.Text("shape", "8,4,64,2"));
        using var bench = new StepBench(shape, arguments.Computation(shape.Encoder));
        Console.WriteLine(
            "| step | live tensors | resident MiB | managed KiB after collection | managed KiB asked for a step |\n|---|---|---|---|---|");
        var seen = new List<(long Tensors, double Resident, double Managed)>();
        var asked = GC.GetTotalAllocatedBytes();
        for (var step = 1; step <= arguments.Number("steps", 1000); step++)
        {
            bench.Step();
            if (step % Every != 0) continue;
            var allocated = (GC.GetTotalAllocatedBytes() - asked) / 1024.0 / Every;
            var managed = GC.GetTotalMemory(forceFullCollection: true) / 1024.0;
            seen.Add((Tensor.TotalCount, ProcessMemory.Now, managed));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {step} | {seen[^1].Tensors} | {seen[^1].Resident:F1} | {managed:F0} | {allocated:F0} |"));
            asked = GC.GetTotalAllocatedBytes();
        }

        // The first stretch warms up: code is compiled, caches fill.
        var (early, late) = (seen[Math.Min(1, seen.Count - 1)], seen[^1]);
        var flat =
            late.Tensors == early.Tensors && late.Resident - early.Resident < LooseMegabytes && late.Managed - early.Managed < LooseMegabytes * 1024;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\nFrom the second line to the last: {late.Tensors - early.Tensors:+0;-0;0} tensors, {late.Resident - early.Resident:+0.0;-0.0;0.0} "
                + $"MiB resident, {late.Managed - early.Managed:+0;-0;0} KiB managed: {(flat ? "flat" : "NOT FLAT")}."));
        return flat ? 0 : 1;
    }
}
