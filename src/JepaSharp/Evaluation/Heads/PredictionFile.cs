using System.Globalization;
using System.Text;
using JepaSharp.Evaluation.Embeddings.Writers;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using Parquet;
using Parquet.Schema;

namespace JepaSharp.Evaluation.Heads;

/// <summary>Predictions as a file, a row an image: <c>image,label,probability,unsure</c>, or <c>image,number,low,high</c>.</summary>
/// <remarks>Of the text, every number is the shortest that reads back as the same float64.</remarks>
public static class PredictionFile
{
    /// <summary>Checks that a file can be written, before any work is done.</summary>
    /// <param name="path">A new file ending in .csv or .parquet.</param>
    /// <exception cref="JepaException">It exists, its ending names no format, or there is no folder for it.</exception>
    public static void RequireFree(string path)
    {
        if (Directory.Exists(path)) throw new JepaException($"{path} is a folder. Give a file ending in .csv or .parquet.", isUsage: true);
        _ = IsParquet(path);
        if (File.Exists(path)) throw new JepaException($"{path} exists and is not overwritten. Delete it, or give another --out.", isUsage: true);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
            throw new JepaException(
                $"There is no folder {folder} to write {Path.GetFileName(path)} into. Make it, or give another --out.", isUsage: true);
    }

    /// <summary>Writes the file: under another name first, so that it is there whole or not at all.</summary>
    /// <param name="path">A new file ending in .csv or .parquet.</param>
    /// <param name="predictions">What to write.</param>
    /// <exception cref="JepaException">It cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<ImagePrediction> predictions)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        RequireFree(path);
        DurableFile.Write(path, stream =>
        {
            if (IsParquet(path)) WriteParquet(stream, predictions);
            else stream.Write(Encoding.UTF8.GetBytes(Text(predictions)));
        });
    }

    private static bool IsParquet(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".parquet" => true,
        ".csv" => false,
        _ => throw new JepaException($"{path} does not end in .csv or .parquet, which is what predictions are written as.", isUsage: true),
    };

    private static bool AreNumbers(IReadOnlyList<ImagePrediction> predictions) => predictions.Any(p => p.Number is not null);

    private static string Text(IReadOnlyList<ImagePrediction> predictions)
    {
        var areNumbers = AreNumbers(predictions);
        var text = new StringBuilder(areNumbers ? "image,number,low,high\n" : "image,label,probability,unsure\n");
        foreach (var p in predictions)
        {
            text.Append(CsvText.Field(p.Image)).Append(',');
            if (areNumbers) text.Append(Number(p.Number)).Append(',').Append(Number(p.Low)).Append(',').Append(Number(p.High));
            else text.Append(CsvText.Field(p.Label!)).Append(',').Append(Number(p.Probability)).Append(p.IsUnsure ? ",true" : ",false");
            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static void WriteParquet(Stream stream, IReadOnlyList<ImagePrediction> predictions)
    {
        var areNumbers = AreNumbers(predictions);
        var schema = areNumbers
            ? new ParquetSchema(new DataField<string>("image", false), new DataField<double>("number"), new DataField<double>("low"),
                new DataField<double>("high"))
            : new ParquetSchema(new DataField<string>("image", false), new DataField<string>("label", false), new DataField<double>("probability"),
                new DataField<bool>("unsure"));
        var fields = schema.DataFields;
        // The library closes its stream, which is to be flushed to disk after.
        using var memory = new MemoryStream();
        var writer = ParquetWriter.CreateAsync(schema, memory, new ParquetOptions()).GetAwaiter().GetResult();
        using (var group = writer.CreateRowGroup())
        {
            Wait(group.WriteAsync(fields[0], predictions.Select(p => p.Image).ToArray()));
            if (areNumbers)
            {
                Wait(group.WriteAsync<double>(fields[1], predictions.Select(p => p.Number!.Value).ToArray().AsMemory()));
                Wait(group.WriteAsync<double>(fields[2], predictions.Select(p => p.Low!.Value).ToArray().AsMemory()));
                Wait(group.WriteAsync<double>(fields[3], predictions.Select(p => p.High!.Value).ToArray().AsMemory()));
            }
            else
            {
                Wait(group.WriteAsync(fields[1], predictions.Select(p => p.Label!).ToArray()));
                Wait(group.WriteAsync<double>(fields[2], predictions.Select(p => p.Probability!.Value).ToArray().AsMemory()));
                Wait(group.WriteAsync<bool>(fields[3], predictions.Select(p => p.IsUnsure).ToArray().AsMemory()));
            }
        }

        writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        stream.Write(memory.ToArray());
    }

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    private static void Wait(ValueTask task) => task.AsTask().GetAwaiter().GetResult();
}
