using System.Globalization;
using System.Text;
using System.Text.Json;
using JepaSharp.Benchmarks.Steps;

namespace JepaSharp.Benchmarks.Growth;

/// <summary>How seconds and memory of a step grow with tokens, batch, width and depth, one at a time about the same middle; every point a process of
/// its own.</summary>
internal static class GrowthSweep
{
    private const int Grid = 14, Batch = 16, Width = 192, Depth = 6;

    private static readonly (string Axis, int[] Values, Func<int, string> Shape, Func<int, int> Shown)[] Sweeps =
    [
        ("tokens", [8, 11, 16, 23, 32, 45], v => $"{v},{Batch / 4},{Width},{Depth}", v => v * v),
        ("batch", [4, 8, 16, 32, 64], v => $"{Grid},{v},{Width},{Depth}", v => v),
        ("width", [96, 192, 384, 768, 1152], v => $"{Grid},{Batch / 2},{v},{Depth}", v => v),
        ("depth", [3, 6, 12, 24, 48], v => $"{Grid},{Batch},{Width},{v}", v => v),
    ];

    public static int Run(IReadOnlyList<string> words)
    {
        var arguments = new StepArguments(words, "precision", "steps", "out");
        var folder = arguments.Text("out", ".");
        var precision = arguments.Text("precision", "bf16");
        var options = $"--precision {precision} --warmup 2 --steps {arguments.Number("steps", 5)}";
        // What a process takes before any network: the runtime and libtorch.
        var floor = JsonSerializer.Deserialize<StepMeasure>(ChildProcess.Self($"step --shape 3,1,32,1 {options}"))!.PeakMegabytes;
        var points = new List<GrowthPoint>();
        foreach (var (axis, values, shape, shown) in Sweeps)
        {
            foreach (var value in values)
            {
                var step = JsonSerializer.Deserialize<StepMeasure>(ChildProcess.Self($"step --shape {shape(value)} {options}"))!;
                points.Add(new GrowthPoint(
                    axis, shown(value), shape(value), CountedStep.Of(StepShape.Parse(shape(value))).Total, step.Steps.Min(), step.PeakMegabytes));
                Console.Error.WriteLine(Text($"{axis} {shown(value)}: {step.Seconds:F3} s, {step.PeakMegabytes:F0} MiB"));
            }
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "growth.csv"), Csv(points, floor));
        File.WriteAllText(Path.Combine(folder, "growth.svg"), GrowthPlot.Draw(points, floor));
        Console.WriteLine(Exponents(points, floor));
        return 0;
    }

    private static string Csv(IEnumerable<GrowthPoint> points, double floor)
    {
        var text = new StringBuilder("axis,value,grid,batch,width,depth,gflop,seconds,peak_mib,peak_mib_above_empty\n");
        foreach (var p in points)
            text.AppendLine(Text($"{p.Axis},{p.Value},{p.Shape},{p.Operations / 1e9:F3},{p.Seconds:F4},{p.Megabytes:F1},{p.Megabytes - floor:F1}"));
        return text.ToString();
    }

    /// <summary>Exponents over the whole sweep, and between its last two points, where fixed costs weigh least.</summary>
    private static string Exponents(IReadOnlyList<GrowthPoint> points, double floor)
    {
        var text = new StringBuilder(Text($"A process with next to no network takes {floor:F0} MiB; memory is what comes on top.\n\n"));
        text.AppendLine("| against | operations | seconds | seconds, last two | memory | memory, last two |\n|---|---|---|---|---|---|");
        foreach (var axis in points.Select(p => p.Axis).Distinct()) Row(axis, [.. points.Where(p => p.Axis == axis)], p => p.Value);
        Row("operations, all points", [.. points.OrderBy(p => p.Operations)], p => p.Operations);
        return text.ToString();

        void Row(string name, IReadOnlyList<GrowthPoint> of, Func<GrowthPoint, double> x)
        {
            double All(Func<GrowthPoint, double> y) => PowerLaw.Exponent([.. of.Select(p => (x(p), y(p)))]);
            double Last(Func<GrowthPoint, double> y) => PowerLaw.Exponent([.. of.TakeLast(2).Select(p => (x(p), y(p)))]);
            Func<GrowthPoint, double> memory = p => p.Megabytes - floor;
            text.AppendLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {All(p => p.Operations):F2} | {All(p => p.Seconds):F2} | {Last(p => p.Seconds):F2} | {All(memory):F2} | "
                    + $"{Last(memory):F2} |"));
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
