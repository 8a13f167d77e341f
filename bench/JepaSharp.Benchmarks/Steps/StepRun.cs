using System.Text.Json;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>What one process measured of its training steps.</summary>
/// <param name="Seconds">Median of a step.</param>
/// <param name="PeakMegabytes">Largest resident memory of the process so far.</param>
/// <param name="Loss">Of the last step: two runs of the same shape print the same.</param>
/// <param name="Phases">Mean seconds of a step by part.</param>
/// <param name="Steps">Seconds of every measured step.</param>
/// <param name="Computation">Key of what the products were computed with.</param>
internal sealed record StepMeasure(
    double Seconds, double PeakMegabytes, double Loss, IReadOnlyDictionary<string, double> Phases, IReadOnlyList<double> Steps, string Computation);

/// <summary>Takes training steps of a shape in this process, and prints one line of JSON about them.</summary>
internal static class StepRun
{
    private const int Unmeasured = 2;

    public static int Run(IReadOnlyList<string> words)
    {
        var arguments = new StepArguments(words, "shape", "precision", "steps", "warmup", "batch", "accumulate", "checkpoint");
        var shape = StepShape.Parse(arguments.Text("shape", "tiny"));
        if (arguments.Number("batch", 0) is > 0 and var batch) shape = shape with { Batch = batch };
        var computation = arguments.Computation(shape.Encoder);
        using var bench = new StepBench(shape, computation, arguments.Number("accumulate", 1), arguments.Flag("checkpoint"));
        var seconds = new List<double>();
        double loss = 0;
        var unmeasured = arguments.Number("warmup", Unmeasured);
        for (var i = 0; i < unmeasured + arguments.Number("steps", 6); i++)
        {
            if (i == unmeasured) bench.Clock.Clear();
            (var time, loss) = bench.Step();
            if (i >= unmeasured) seconds.Add(time);
        }

        var phases = bench.Clock.Totals.ToDictionary(t => t.Phase, t => t.Total.TotalSeconds / seconds.Count);
        Console.WriteLine(JsonSerializer.Serialize(new StepMeasure(Median.Of(seconds), ProcessMemory.Peak, loss, phases, seconds, computation.Key)));
        return 0;
    }
}
