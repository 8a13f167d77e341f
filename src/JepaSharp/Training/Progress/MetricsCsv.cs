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
