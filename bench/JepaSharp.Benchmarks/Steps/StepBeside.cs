using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>What a training step loses beside other work: more than the processor time that it is denied would be waste.</summary>
/// <remarks>
/// A run has as many threads as there are cores, c. Beside k programs that are always busy its fair part of the machine is c / (c + k); beside
/// another
/// run, half. A step that takes (c + k) / c, or 2, times as long has lost nothing else.
/// </remarks>
internal static class StepBeside
{
    public static int Run(IReadOnlyList<string> words)
    {
        var arguments = new StepArguments(words, "shape", "precision", "rounds", "steps");
        var (shape, precision) = (arguments.Text("shape", "tiny"), arguments.Text("precision", "auto"));
        var step = $"step --shape {shape} --precision {precision} --steps {arguments.Number("steps", 6)}";
        var cores = Environment.ProcessorCount;
        (string Name, int Busy, int Runs, double Fair)[] situations =
        [
            ("alone", 0, 1, 1), ("beside one busy program", 1, 1, (cores + 1.0) / cores), ("beside two", 2, 1, (cores + 2.0) / cores), ("two runs",
                0, 2, 2),
        ];
        var seconds = situations.ToDictionary(s => s.Name, _ => new List<double>());
        for (var round = 0; round < arguments.Number("rounds", 3); round++)
        {
            foreach (var situation in situations)
            {
                seconds[situation.Name].AddRange(Measured(step, situation.Busy, situation.Runs));
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{situation.Name}, round {round + 1}: {seconds[situation.Name][^1]:F3} s a step"));
            }
        }

        var alone = Median.Of(seconds["alone"]);
        var processor = Processor.Detect();
        Console.WriteLine($"{processor.Model}, {processor.UsableCores} cores, {string.Join(", ", processor.Instructions)}; {step}. Medians.\n");
        Console.WriteLine("| | seconds a step | times as long as alone | as long as its part of the machine would explain | lost beyond that |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var situation in situations)
        {
            var median = Median.Of(seconds[situation.Name]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {situation.Name} | {median:F3} | {median / alone:F2} | {situation.Fair:F2} | "
                    + $"{100 * ((median / alone / situation.Fair) - 1):F0} % |"));
        }

        return 0;
    }

    /// <summary>Keeps one core busy.</summary>
    public static int Burn(int seconds)
    {
        var clock = Stopwatch.StartNew();
        var x = 1.0;
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            for (var i = 0; i < 1000; i++) x = Math.Sqrt(x + i);
        }

        return x > 0 ? 0 : 1;
    }

    private static IEnumerable<double> Measured(string step, int busy, int runs)
    {
        var burning = Enumerable.Range(0, busy).Select(_ => ChildProcess.Start("burn 600")).ToList();
        try
        {
            // Runs that begin and end together measure each other for nearly all of their steps.
            var lines = Task.WhenAll(Enumerable.Range(0, runs).Select(_ => Task.Run(() => ChildProcess.Self(step)))).GetAwaiter().GetResult();
            return [.. lines.Select(line => JsonSerializer.Deserialize<StepMeasure>(line)!.Seconds)];
        }
        finally
        {
            foreach (var process in burning)
            {
                process.Kill();
                process.Dispose();
            }
        }
    }
}
