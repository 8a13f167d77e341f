using JepaSharp.Evaluation.Embeddings.Readers;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>Embeddings that were written to a file, one vector an image, with the images' names.</summary>
/// <param name="Path">The file.</param>
/// <param name="Features">[n, D].</param>
/// <param name="Names">[n], the images' names in the set that they came from.</param>
/// <param name="Classes">[n], names of their classes; null for an image without one.</param>
/// <param name="Facts">What the file says of how it was made; empty for .npy and .csv, which cannot say it.</param>
public sealed record StoredEmbeddings(
    string Path, FeatureMatrix Features, IReadOnlyList<string> Names, IReadOnlyList<string?> Classes, IReadOnlyDictionary<string, string> Facts)
{
    // What two files must have in common for their numbers to be comparable.
    private static readonly string[] Making = ["weights", "encoder", "pool", "layers", "transform", "normalization"];

    /// <summary>Reads a file that <c>jepa embed</c> or <see cref="EmbeddingJob"/> wrote: .parquet, .safetensors, .npy or .csv.</summary>
    /// <param name="path">The file; with .safetensors and .npy its <c>NAME.index.csv</c> lies beside it.</param>
    /// <exception cref="JepaException">It is missing, damaged, no such file, or holds a vector for each patch.</exception>
    public static StoredEmbeddings Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        path = HomePath.Expand(path);
        if (Directory.Exists(path)) throw new JepaException($"{path} is a folder. Expected a file that 'jepa embed' wrote.", isUsage: true);
        var format = EmbeddingFormats.Of(path);
        if (!File.Exists(path))
            throw new JepaException(
                File.Exists(new EmbeddingPaths(path, format).Partial)
                    ? $"{path} is not finished: the 'jepa embed' that writes it goes on when it is asked for again."
                    : $"{path} {Absence.Of(path)}. Expected a file that 'jepa embed' wrote.", isUsage: true);
        try
        {
            return format switch
            {
                EmbeddingFormat.Parquet => ParquetReading.Read(path),
                EmbeddingFormat.Csv => CsvReading.Read(path),
                EmbeddingFormat.Npy => NpyReading.Read(path),
                _ => SafetensorsReading.Read(path),
            };
        }
#pragma warning disable CA1031 // a damaged file of Parquet makes the library throw anything
        catch (Exception e) when (e is not (JepaException or OutOfMemoryException or OperationCanceledException))
#pragma warning restore CA1031
        {
            throw new JepaException(
                $"{path} cannot be read as embeddings: {e.Message.Split('\n')[0].TrimEnd('.', '\r')}. Write it again with 'jepa embed'.",
                isUsage: true, e);
        }
    }

    /// <summary>Refuses others that were made in another way, as far as both files say how.</summary>
    /// <returns>Whether both say it; otherwise the widths alone were compared.</returns>
    /// <exception cref="JepaException">They are of another width, encoder, pooling or transform.</exception>
    public bool RequireComparable(StoredEmbeddings other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Features.Width != Features.Width)
            throw new JepaException(
                $"{other.Path} has {other.Features.Width} numbers an image and {Path} has {Features.Width}: they are of different encoders or "
                    + "poolings. Write both with the same 'jepa embed'.", isUsage: true);
        if (Making.FirstOrDefault(key => Facts.TryGetValue(key, out var a) && other.Facts.TryGetValue(key, out var b) && a != b) is { } differs)
            throw new JepaException(
                $"{other.Path} and {Path} differ in {differs} ({other.Facts[differs]}, {Facts[differs]}): their numbers cannot be compared. Write "
                    + "both with the same 'jepa embed'.", isUsage: true);
        return Making.All(key => Facts.ContainsKey(key) && other.Facts.ContainsKey(key));
    }
}
