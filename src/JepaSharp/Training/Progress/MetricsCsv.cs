using System.Globalization;

namespace JepaSharp.Training.Progress;

/// <summary><c>metrics.csv</c>: one row a step. The published log's columns come first, under the names it gives them.</summary>
/// <remarks>
/// Loss, rates and momentum are written with as many digits as give the same number back, so that two runs can be compared bit for bit.
/// Times are in milliseconds; <c>time (ms)</c> is the step without the wait for data, which has its own column.
/// </remarks>
public sealed class MetricsCsv : IRecord, IDisposable
{
    /// <summary>The first line.</summary>
    public const string Header = "epoch,itr,loss,mask-A,mask-B,time (ms),step,lr,wd,momentum,images,images_per_second,wait_ms";

    private const int StepColumn = 6;
    private const int Columns = 13;
    private readonly AppendedFile _file;

    private MetricsCsv(AppendedFile file) => _file = file;

    /// <inheritdoc/>
    string IRecord.Path => _file.Path;

    /// <inheritdoc/>
    bool IRecord.HasUnwritten => _file.HasUnwritten;

    /// <summary>Starts the file of a new run.</summary>
    /// <exception cref="Runtime.JepaException">It already exists.</exception>
    public static MetricsCsv Create(string path, TimeProvider? clock = null) => new(StepTable.Create(path, Header, clock));

    /// <summary>Goes on with the file of a run that is resumed after <paramref name="step"/> steps: later rows are cut off.</summary>
    /// <exception cref="Runtime.JepaException">The file has other columns.</exception>
    public static MetricsCsv Resume(string path, long step, TimeProvider? clock = null) => new(StepTable.Resume(path, Header, StepColumn, step, clock));

    /// <summary>Reads a run's steps, one at a time; rows that are not whole are left out. Nothing where there is no file.</summary>
    public static IEnumerable<StepRow> Read(string path)
    {
        if (!File.Exists(path)) yield break;
        foreach (var line in File.ReadLines(path).Skip(1))
        {
            var cells = line.Split(',');
            if (cells.Length != Columns) continue;
            double Value(int column) => double.TryParse(cells[column], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : double.NaN;
            yield return new StepRow(
                (int)Value(0), (long)Value(StepColumn), Value(2), Value(7), Value(8), Value(9), (int)Value(10), TimeSpan.FromMilliseconds(Value(5)), TimeSpan.FromMilliseconds(Value(12)));
        }
    }

    /// <inheritdoc/>
    public void OnStep(in StepReport step) => StepTable.AppendRow(_file, Row(step));

    /// <inheritdoc/>
    public void OnCheckpoint(long step) => _file.Flush(toDisk: true);

    /// <inheritdoc/>
    public void OnEnd(RunEnd end) => _file.Flush(toDisk: true);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string Row(in StepReport s) => string.Create(
        CultureInfo.InvariantCulture,
        $"{s.Epoch},{s.Iteration},{s.Loss:R},{s.ContextTokens},{s.TargetTokens},{s.StepTime.TotalMilliseconds:F2},{s.Step},{s.LearningRate:R},{s.WeightDecay:R},{s.Momentum:R},{s.Images},{s.ImagesPerSecond:F1},{s.DataWait.TotalMilliseconds:F2}");
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
    int Epoch, long Step, double Loss, double LearningRate, double WeightDecay, double Momentum, int Images, TimeSpan StepTime, TimeSpan DataWait);
