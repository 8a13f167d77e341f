using System.Globalization;
using JepaSharp.Runtime;

namespace JepaSharp.Training.Progress;

/// <summary><c>measures.csv</c>: what was measured beside the loss, one row a value, so that a new measure needs no new column.</summary>
public sealed class MeasuresCsv : IRecord, IDisposable
{
    /// <summary>The first line.</summary>
    public const string Header = "epoch,step,measure,value";

    private const int StepColumn = 1;
    private readonly AppendedFile _file;

    private MeasuresCsv(AppendedFile file) => _file = file;

    /// <inheritdoc/>
    string IRecord.Path => _file.Path;

    /// <inheritdoc/>
    bool IRecord.HasUnwritten => _file.HasUnwritten;

    /// <summary>Starts the file of a new run.</summary>
    /// <exception cref="JepaException">It already exists.</exception>
    public static MeasuresCsv Create(string path, TimeProvider? clock = null) => new(StepTable.Create(path, Header, clock));

    /// <summary>
    /// Goes on with the file of a run that is resumed after <paramref name="step"/> steps: later rows are cut off, and those of that very step, which
    /// is measured again (the process before may have ended half-way through it).
    /// </summary>
    /// <exception cref="JepaException">The file has other columns.</exception>
    public static MeasuresCsv Resume(string path, long step, TimeProvider? clock = null) =>
        new(StepTable.Resume(path, Header, StepColumn, step - 1, clock));

    /// <summary>Reads a run's measures; rows that are not whole are left out.</summary>
    /// <returns>Those taken at one time together, in the order they were taken; none where there is no file.</returns>
    public static IReadOnlyList<TakenMeasures> Read(string path)
    {
        var taken = new List<TakenMeasures>();
        if (!File.Exists(path)) return taken;
        foreach (var line in GrowingText.Lines(path).Skip(1))
        {
            if (line.Split(',') is not [var epochText, var stepText, var name, var valueText]
                || !int.TryParse(epochText, NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
                || !long.TryParse(stepText, NumberStyles.None, CultureInfo.InvariantCulture, out var step)
                || !double.TryParse(valueText, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) continue;
            if (taken.Count == 0 || taken[^1].Step != step) taken.Add(new TakenMeasures(epoch, step, new Dictionary<string, double>()));
            ((Dictionary<string, double>)taken[^1].Values)[name] = value;
        }

        return taken;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A measure's name holds a comma, a quote or a line break.</exception>
    public void OnMeasures(int epoch, long step, IReadOnlyDictionary<string, double> measures)
    {
        foreach (var (name, value) in measures)
        {
            if (name.AsSpan().IndexOfAny(",\"\r\n") >= 0)
                throw new ArgumentException($"A measure's name holds a comma, a quote or a line break: {name}.", nameof(measures));
            StepTable.AppendRow(_file, string.Create(CultureInfo.InvariantCulture, $"{epoch},{step},{name},{value:R}"));
        }

        _file.Flush();
    }

    /// <inheritdoc/>
    public void OnCheckpoint(long step) => _file.Flush(toDisk: true);

    /// <inheritdoc/>
    public void OnEnd(RunEnd end) => _file.Flush(toDisk: true);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}

/// <summary>What was measured beside the loss at one time.</summary>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Values">Values by name.</param>
public sealed record TakenMeasures(int Epoch, long Step, IReadOnlyDictionary<string, double> Values);
