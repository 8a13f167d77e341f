using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>What embeddings are written as.</summary>
public enum EmbeddingFormat
{
    /// <summary>One tensor <c>features</c>, float32, [n, D] or [n, N, D].</summary>
    Safetensors,

    /// <summary>NumPy's array file, the same shape.</summary>
    Npy,

    /// <summary>Text: name, label, class, then a column for each number; a line for each image, or for each patch.</summary>
    Csv,

    /// <summary>Apache Parquet: name, label, class, and a list of numbers; a row for each image, or for each patch.</summary>
    Parquet,
}

/// <summary>The formats by the endings of their files.</summary>
public static class EmbeddingFormats
{
    /// <summary>The format that a file's ending names.</summary>
    /// <exception cref="JepaException">It names none.</exception>
    public static EmbeddingFormat Of(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".safetensors" => EmbeddingFormat.Safetensors,
        ".npy" => EmbeddingFormat.Npy,
        ".csv" => EmbeddingFormat.Csv,
        ".parquet" => EmbeddingFormat.Parquet,
        var other => throw new JepaException(
            $"{path} ends in {(other.Length == 0 ? "nothing that names a format" : $"'{other}', which is no format for embeddings")}. "
            + "Give a file ending in .safetensors, .npy, .csv or .parquet.",
            isUsage: true),
    };
}
