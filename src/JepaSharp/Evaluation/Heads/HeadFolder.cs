using System.Reflection;
using System.Text.Json;
using JepaSharp.Evaluation.Probes;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Heads;

/// <summary>The folder that a head is kept in: <c>head.json</c>, <c>head.safetensors</c> and perhaps <c>encoder.safetensors</c>.</summary>
public static class HeadFolder
{
    /// <summary>Names of its files.</summary>
    public const string RecordName = "head.json", TensorsName = "head.safetensors", EncoderName = "encoder.safetensors";

    private const long LongestRecord = 64 << 20;

    /// <summary>Checks that a head can be written, before any work is done.</summary>
    /// <exception cref="JepaException">Something is there already, or there is no folder to make it in.</exception>
    public static void RequireFree(string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new JepaException($"{folder} exists and is not overwritten. Delete it, or give another --out.", isUsage: true);
        var parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (parent is not null && !Directory.Exists(parent))
            throw new JepaException(
                $"There is no folder {parent} to make {Path.GetFileName(Path.TrimEndingDirectorySeparator(folder))} in. Make it, or give another "
                    + "--out.", isUsage: true);
    }

    /// <summary>Writes a head of classes.</summary>
    /// <param name="folder">A new or empty folder.</param>
    /// <param name="fitted">The head.</param>
    /// <param name="classes">Class names, in the order of the outputs.</param>
    /// <param name="encoder">The encoder that it was fitted on.</param>
    /// <param name="features">Which representations.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <exception cref="JepaException">It cannot be written.</exception>
    public static void Write(
        string folder, FittedClasses fitted, IReadOnlyList<string> classes, KeptEncoder encoder, HeadFeatures features, HeadTransform transform)
    {
        ArgumentNullException.ThrowIfNull(fitted);
        ArgumentNullException.ThrowIfNull(encoder);
        var knn = (fitted.Model.Outputs as NeighbourOutputs)?.Options;
        if (fitted.Model.Encoder is { } tuned) (encoder, features) = (encoder.Tuned(tuned), features with { Layers = 1, Pool = "auto" });
        Write(folder, fitted.Model.Outputs, encoder, new HeadRecord
        {
            Format = HeadRecord.LatestFormat,
            Jepasharp = Version,
            Kind = fitted.Kind,
            Classes = classes,
            Encoder = encoder.Record,
            Features = features with { Width = fitted.Model.Outputs.Width },
            Transform = transform,
            Temperature = fitted.Temperature,
            UnsureBelow = fitted.UnsureBelow,
            Neighbours = knn?.Neighbours,
            Sharpness = knn?.Temperature,
            Report = fitted.Report,
        });
    }

    /// <summary>Writes a head of numbers.</summary>
    /// <param name="folder">A new or empty folder.</param>
    /// <param name="fitted">The head.</param>
    /// <param name="column">What the numbers are called.</param>
    /// <param name="encoder">The encoder that it was fitted on.</param>
    /// <param name="features">Which representations.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <exception cref="JepaException">It cannot be written.</exception>
    public static void Write(
        string folder, FittedNumbers fitted, string column, KeptEncoder encoder, HeadFeatures features, HeadTransform transform)
    {
        ArgumentNullException.ThrowIfNull(fitted);
        ArgumentNullException.ThrowIfNull(encoder);
        Write(folder, fitted.Model.Outputs, encoder, new HeadRecord
        {
            Format = HeadRecord.LatestFormat,
            Jepasharp = Version,
            Kind = fitted.Kind,
            Column = column,
            Encoder = encoder.Record,
            Features = features,
            Transform = transform,
            Interval = fitted.Interval,
            Lowest = fitted.Lowest,
            Highest = fitted.Highest,
            Neighbours = (fitted.Model.Outputs as NeighbourNumbers)?.Neighbours,
            Report = fitted.Report,
        });
    }

    /// <summary>Reads the record of a folder.</summary>
    /// <exception cref="JepaException">It is no head, or one of a later version.</exception>
    public static HeadRecord Read(string folder)
    {
        var path = Path.Combine(folder, RecordName);
        if (!File.Exists(path))
            throw new JepaException(
                $"{folder} {(Directory.Exists(folder) ? $"holds no {RecordName}" : Absence.Of(folder))}. Expected a folder that 'jepa fit' wrote.",
                isUsage: true);
        try
        {
            if (new FileInfo(path).Length > LongestRecord) throw new JsonException("it is too long");
            var record = JsonSerializer.Deserialize<HeadRecord>(File.ReadAllBytes(path), HeadRecord.Json) ?? throw new JsonException("it is null");
            Require(record, path);
            return record;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or NotSupportedException)
        {
            var why = e.Message.Split('\n')[0].TrimEnd('.', '\r');
            throw new JepaException($"{path} cannot be read as a head ({why}). Fit it again.", isUsage: true, e);
        }
    }

    internal static HeadOutputs ReadOutputs(string folder, HeadRecord record)
    {
        var path = Path.Combine(folder, TensorsName);
        if (!File.Exists(path)) throw new JepaException($"{folder} lacks {TensorsName}, the head's numbers. Fit it again.", isUsage: true);
        using var file = SafetensorsFile.Open(path);
        if (record.Kind == HeadKinds.Neighbours && record.Classes is null)
            return NeighbourNumbers.Read(file, record.Features.Width, record.Neighbours!.Value);
        return record.Kind == HeadKinds.Neighbours
            ? NeighbourOutputs.Read(file, record.Classes!.Count, record.Features.Width,
                new KnnOptions { Neighbours = record.Neighbours!.Value, Temperature = record.Sharpness!.Value })
            : LinearOutputs.Read(file, record.Classes?.Count ?? 1, record.Features.Width);
    }

    private static string Version =>
        typeof(HeadFolder).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private static void Require(HeadRecord record, string path)
    {
        if (record.Format != HeadRecord.LatestFormat)
            throw new JepaException(
                $"{path} has the format {record.Format}; this version of JepaSharp reads {HeadRecord.LatestFormat}. Use the version that wrote it "
                    + $"({record.Jepasharp}), or fit the head again.", isUsage: true);
        var isOfClasses = HeadKinds.OfClasses.Contains(record.Kind) && !(record.Column is not null && HeadKinds.OfNumbers.Contains(record.Kind));
        string? wrong = !isOfClasses && !HeadKinds.OfNumbers.Contains(record.Kind) ? $"the unknown kind \"{record.Kind}\""
            : isOfClasses && !(record.Classes is { Count: > 1 } names && names.All(name => name is not null)) ? "fewer than two classes"
            : isOfClasses && !(record.Temperature is > 0 && double.IsFinite(record.Temperature.Value)) ? "no temperature above 0"
            : isOfClasses && record.UnsureBelow is not (>= 0 and <= 1) ? "no threshold of \"unsure\" between 0 and 1"
            : !isOfClasses && record.Column is null ? "no column"
            : !isOfClasses && record.Interval is not >= 0 ? "no range"
            : record.Kind == HeadKinds.Neighbours && !(record.Neighbours > 0 && (record.Sharpness > 0 || !isOfClasses)) ? "no neighbours"
            : !isOfClasses && record.Classes is not null ? "both classes and a column of numbers"
            : record.Features is not { Width: > 0, Layers: > 0, Pool: not null } ? "no features"
            : record.Transform is null ? "no transform"
            : record.Encoder is not { Network: not null, Fingerprint: not null, Heads: > 0, Mean: not null, Deviation: not null }
                || !record.Encoder.Normalization.IsSound ? "no whole encoder"
            : null;
        if (wrong is not null) throw new JepaException($"{path} has {wrong}. Fit the head again.", isUsage: true);
    }

    private static void Write(string folder, HeadOutputs outputs, KeptEncoder encoder, HeadRecord record)
    {
        RequireFree(folder);
        try
        {
            Directory.CreateDirectory(folder);
            using var scope = NewDisposeScope();
            encoder.CopyInto(Path.Combine(folder, EncoderName));
            SafetensorsWriter.Write(Path.Combine(folder, TensorsName), outputs.Tensors());
            // Last: a folder with a record is whole.
            DurableFile.Write(Path.Combine(folder, RecordName), stream => JsonSerializer.Serialize(stream, record, HeadRecord.Json));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{folder} cannot be written: {e.Message}", inner: e);
        }
    }
}
