using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>The files of one output: itself, the side file that names its rows, and what there is of both while the job is not finished.</summary>
/// <param name="Output">FILE.npy.</param>
/// <param name="Format">By its ending.</param>
public sealed record EmbeddingPaths(string Output, EmbeddingFormat Format)
{
    /// <summary>FILE.index.csv, or null where the output names its rows itself.</summary>
    public string? Index => HasIndex ? Path.ChangeExtension(Output, ".index.csv") : null;

    internal string Partial => Output + ".partial";

    internal string PartialIndex => Path.ChangeExtension(Output, ".index.csv.partial");

    internal string State => Output + ".partial.json";

    private bool HasIndex => Format is EmbeddingFormat.Npy or EmbeddingFormat.Safetensors;

    /// <summary>Checks that an output can be written, before any work is done.</summary>
    /// <exception cref="JepaException">It exists, its ending names no format, or there is no such folder.</exception>
    public static EmbeddingPaths Of(string output)
    {
        if (Directory.Exists(output))
            throw new JepaException($"{output} is a folder. Give a file ending in .safetensors, .npy, .csv or .parquet.", isUsage: true);
        var paths = new EmbeddingPaths(output, EmbeddingFormats.Of(output));
        paths.RequireFree();
        var folder = Path.GetDirectoryName(Path.GetFullPath(output))!;
        return Directory.Exists(folder) ? paths : throw new JepaException(
            $"There is no folder {folder} to write {Path.GetFileName(output)} into. Make it, or give another --out.", isUsage: true);
    }

    /// <summary>Keeps others from writing the same output, until it is disposed of.</summary>
    /// <exception cref="JepaException">Another job is writing it, or has written it meanwhile.</exception>
    public OutputLock Claim()
    {
        var claim = OutputLock.Beside(Output, "embedding into");
        try
        {
            RequireFree(); // between the first look and the lock, another job may have ended
            return claim;
        }
        catch
        {
            claim.Dispose();
            throw;
        }
    }

    private void RequireFree()
    {
        foreach (var existing in new[] { Output, Index }.Where(File.Exists))
            throw new JepaException($"{existing} exists and is not overwritten. Delete it, or give another --out.", isUsage: true);
    }

    /// <summary>Gives the finished files their names.</summary>
    internal void Finish()
    {
        if (Index is { } index) Renaming.OfFile(PartialIndex, index);
        Renaming.OfFile(Partial, Output);
        File.Delete(State);
    }
}

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
