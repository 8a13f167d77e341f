using System.Buffers.Binary;
using System.Globalization;
using Google.Protobuf;
using JepaSharp.Runtime;
using Tensorboard;

namespace JepaSharp.Training.Progress;

/// <summary>Writes what TensorBoard reads: an event file of scalars and pictures.</summary>
/// <remarks>
/// A file of TFRecords (length, masked CRC of the length, data, masked CRC of the data), each an <c>Event</c> of TensorFlow's event.proto.
/// Every process of a run writes its own file; a resumed one begins with a session start at its first step, at which
/// TensorBoard forgets the later steps of the file before it.
/// </remarks>
public sealed class TensorBoardEvents : IRecord, IDisposable
{
    private readonly AppendedFile _file;
    private readonly TimeProvider _clock;
    private readonly int _every;
    private readonly IReadOnlyList<string> _numbers;

    /// <summary>Starts an event file in a folder.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="resumedAfter">Steps done before, for a resumed run; null for a new one.</param>
    /// <param name="clock">Gives the times in the file and in its name.</param>
    /// <param name="every">Steps between points; measures are always written.</param>
    /// <param name="numbers">What the objective reports beside the loss, by name.</param>
    /// <exception cref="IOException">The file cannot be made.</exception>
    public TensorBoardEvents(
        string folder, long? resumedAfter = null, TimeProvider? clock = null, int every = 1, IReadOnlyList<string>? numbers = null)
    {
        (_every, _numbers) = (every, numbers ?? []);
        _clock = clock ?? TimeProvider.System;
        _file = new AppendedFile(UnusedName(folder, _clock.GetUtcNow().ToUnixTimeSeconds()), 0, _clock);
        Append(new Event { FileVersion = "brain.Event:2" });
        if (resumedAfter is { } done)
            Append(new Event { Step = done + 1, SessionLog = new SessionLog { Status = SessionLog.Types.SessionStatus.Start } });
        _file.Flush();
    }

    /// <summary>The file's path.</summary>
    public string Path => _file.Path;

    /// <inheritdoc/>
    bool IRecord.HasUnwritten => _file.HasUnwritten;

    /// <inheritdoc/>
    public void OnStep(in StepReport step)
    {
        if (step.Step % _every != 0 && step.Step != 1) return;
        var summary = new Summary();
        AddScalar(summary, "train/loss", step.Loss);
        AddScalar(summary, "train/learning_rate", step.LearningRate);
        AddScalar(summary, "train/weight_decay", step.WeightDecay);
        AddScalar(summary, "train/momentum", step.Momentum);
        foreach (var (name, value) in _numbers.Zip(step.Numbers)) AddScalar(summary, "train/" + name, value);
        AddScalar(summary, "speed/images_per_second", step.ImagesPerSecond);
        AddScalar(summary, "speed/data_wait_ms", step.DataWait.TotalMilliseconds);
        Append(new Event { Step = step.Step, Summary = summary });
    }

    /// <inheritdoc/>
    public void OnMeasures(int epoch, long step, IReadOnlyDictionary<string, double> measures)
    {
        var summary = new Summary();
        foreach (var (name, value) in measures) AddScalar(summary, name.Contains('/', StringComparison.Ordinal) ? name : "measures/" + name, value);
        Append(new Event { Step = step, Summary = summary });
        _file.Flush();
    }

    /// <summary>Adds a picture.</summary>
    /// <param name="tag">Its name, with / between parts.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="png">A whole PNG file.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public void AddImage(string tag, long step, ReadOnlySpan<byte> png, int width, int height)
    {
        const int Rgb = 3;
        var image = new Summary.Types.Image { Height = height, Width = width, Colorspace = Rgb, EncodedImageString = ByteString.CopyFrom(png) };
        Append(new Event { Step = step, Summary = new Summary { Value = { new Summary.Types.Value { Tag = tag, Image = image } } } });
        _file.Flush();
    }

    /// <inheritdoc/>
    public void OnCheckpoint(long step) => _file.Flush(toDisk: true);

    /// <inheritdoc/>
    public void OnEnd(RunEnd end) => _file.Flush(toDisk: true);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void AddScalar(Summary summary, string tag, double value) =>
        summary.Value.Add(new Summary.Types.Value { Tag = tag, SimpleValue = (float)value });

    private void Append(Event what)
    {
        what.WallTime = _clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        var data = what.ToByteArray();
        var record = new byte[8 + 4 + data.Length + 4];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Crc32C.Masked(record.AsSpan(0, 8)));
        data.CopyTo(record.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), Crc32C.Masked(data));
        _file.Append(record);
    }

    private static string UnusedName(string folder, long seconds)
    {
        var host = string.Concat(Environment.MachineName.Select(c => char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '-'));
        string path;
        do path = System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"events.out.tfevents.{seconds++}.{host}"));
        while (File.Exists(path));
        return path;
    }
}
