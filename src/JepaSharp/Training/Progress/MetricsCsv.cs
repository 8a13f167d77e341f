using System.Globalization;
using JepaSharp.Runtime;

namespace JepaSharp.Training.Progress;

/// <summary><c>metrics.csv</c>: one row a step. The published log's columns come first, under the names it gives them.</summary>
/// <remarks>
/// Behind the loss stand the numbers that the objective reports beside it: I-JEPA's mask-A and mask-B, the patches in a context and in a target
/// block.
/// Loss, rates and momentum are written with as many digits as give the same number back, so that two runs can be compared bit for bit.
/// Times are in milliseconds; <c>time (ms)</c> is the step without the wait for data, which has its own column.
/// <c>operations</c> is empty where the objective counts none and in a step that was skipped; a file begun without the column goes on without.
/// </remarks>
public sealed class MetricsCsv : IRecord, IDisposable
{
    private const string Before = "epoch,itr,loss", After = "time (ms),step,lr,wd,momentum,images,images_per_second,wait_ms";
    private const string Operations = ",operations";
    private static readonly int ColumnsBefore = Before.Split(',').Length;
    private readonly AppendedFile _file;
    private readonly bool _counts;

    private MetricsCsv(AppendedFile file, bool counts = true) => (_file, _counts) = (file, counts);

    /// <inheritdoc/>
    string IRecord.Path => _file.Path;

    /// <inheritdoc/>
    bool IRecord.HasUnwritten => _file.HasUnwritten;

    /// <summary>The first line.</summary>
    /// <param name="numbers">What the objective reports beside the loss, by name.</param>
    /// <exception cref="ArgumentException">A name holds a comma, a quote or a line break, or is another column's.</exception>
    public static string Header(IReadOnlyList<string> numbers)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        var taken = $"{Before},{After}{Operations}".Split(',').ToHashSet(StringComparer.Ordinal);
        foreach (var name in numbers)
        {
            if (name.AsSpan().IndexOfAny(",\"\r\n") >= 0 || !taken.Add(name))
                throw new ArgumentException(
                    $"\"{name}\" cannot be the name of a column: it holds a comma, a quote or a line break, or there is another of that name.",
                    nameof(numbers));
        }

        return string.Join(',', [Before, .. numbers, After]) + Operations;
    }

    /// <summary>Starts the file of a new run.</summary>
    /// <exception cref="JepaException">It already exists.</exception>
    public static MetricsCsv Create(string path, IReadOnlyList<string> numbers, TimeProvider? clock = null) =>
        new(StepTable.Create(path, Header(numbers), clock));

    /// <summary>Goes on with the file of a run that is resumed after <paramref name="step"/> steps: later rows are cut off.</summary>
    /// <exception cref="Runtime.JepaException">The file has other columns.</exception>
    public static MetricsCsv Resume(string path, IReadOnlyList<string> numbers, long step, TimeProvider? clock = null)
    {
        var (header, counts) = (Header(numbers), true);
        if (File.Exists(path) && File.ReadLines(path).FirstOrDefault() is { } first && first + Operations == header)
            (header, counts) = (first, false);
        return new(StepTable.Resume(path, header, ColumnsBefore + numbers.Count + 1, step, clock), counts);
    }

    /// <summary>Reads a run's steps, one at a time; rows that are not whole are left out. Nothing where there is no file.</summary>
    public static IEnumerable<StepRow> Read(string path)
    {
        if (!File.Exists(path)) yield break;
        string[]? head = null;
        int Column(string name) => Array.IndexOf(head!, name);
        foreach (var line in GrowingText.Lines(path))
        {
            var cells = line.Split(',');
            if (head is null)
            {
                head = cells;
                continue;
            }

            if (cells.Length != head.Length) continue;
            double Value(string name) =>
                Column(name) is >= 0 and var at
                    && double.TryParse(cells[at], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : double.NaN;
            yield return new StepRow(
                (int)Value("epoch"), (long)Value("step"), Value("loss"), Value("lr"), Value("wd"), Value("momentum"), (int)Value("images"),
                TimeSpan.FromMilliseconds(Value("time (ms)")), TimeSpan.FromMilliseconds(Value("wait_ms")))
            {
                Operations = Value("operations") is var operations && double.IsFinite(operations) ? operations : null,
            };
        }
    }

    /// <summary>Means over a run's steps of what its objective reported beside the loss, by name; steps that were skipped are left out.</summary>
    public static IReadOnlyDictionary<string, double> MeansOfNumbers(string path)
    {
        if (!File.Exists(path)) return new Dictionary<string, double>();
        string[]? head = null;
        (double Sum, long Count)[] sums = [];
        var end = 0;
        foreach (var line in File.ReadLines(path))
        {
            var cells = line.Split(',');
            if (head is null)
            {
                (head, end) = (cells, Array.IndexOf(cells, After.Split(',')[0]));
                sums = new (double, long)[Math.Max(0, end - ColumnsBefore)];
                continue;
            }

            if (cells.Length != head.Length) continue;
            for (var i = 0; i < sums.Length; i++)
            {
                if (double.TryParse(cells[ColumnsBefore + i], NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                    && double.IsFinite(value))
                    sums[i] = (sums[i].Sum + value, sums[i].Count + 1);
            }
        }

        return Enumerable.Range(0, sums.Length).Where(i => sums[i].Count > 0)
            .ToDictionary(i => head![ColumnsBefore + i], i => sums[i].Sum / sums[i].Count);
    }

    /// <inheritdoc/>
    public void OnStep(in StepReport step) =>
        StepTable.AppendRow(_file, _counts ? string.Create(CultureInfo.InvariantCulture, $"{Row(step)},{step.Operations:R}") : Row(step));

    /// <inheritdoc/>
    public void OnCheckpoint(long step) => _file.Flush(toDisk: true);

    /// <inheritdoc/>
    public void OnEnd(RunEnd end) => _file.Flush(toDisk: true);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string Row(in StepReport s)
    {
        string[] numbers = [.. s.Numbers.Select(n => string.Create(CultureInfo.InvariantCulture, $",{n:R}"))];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{s.Epoch},{s.Iteration},{s.Loss:R}{string.Concat(numbers)},{s.StepTime.TotalMilliseconds:F2},{s.Step},{s.LearningRate:R},"
                + $"{s.WeightDecay:R},{s.Momentum:R},{s.Images},{s.ImagesPerSecond:F1},{s.DataWait.TotalMilliseconds:F2}");
    }
}

/// <summary>A row of <c>metrics.csv</c>.</summary>
/// <param name="Epoch">Epoch, from 1.</param>
/// <param name="Step">Steps done, this one included.</param>
/// <param name="Loss">Mean loss over the batch.</param>
/// <param name="LearningRate">Learning rate that the step used.</param>
/// <param name="WeightDecay">Weight decay that the step used.</param>
/// <param name="Momentum">Momentum of the moving average.</param>
/// <param name="Images">B, images in the step.</param>
/// <param name="StepTime">Time of the step, without the wait.</param>
/// <param name="DataWait">Time spent waiting for the batch.</param>
public sealed record StepRow(
    int Epoch, long Step, double Loss, double LearningRate, double WeightDecay, double Momentum, int Images, TimeSpan StepTime, TimeSpan DataWait)
{
    /// <summary>Floating-point operations of the step; null where they were not counted.</summary>
    public double? Operations { get; init; }
}
