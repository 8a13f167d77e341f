namespace JepaSharp.Weights;

/// <summary>Finds the networks in a safetensors file or a sharded set: ours, published names, or Hugging Face's.</summary>
internal static class SafetensorsSource
{
    private const string IndexEnding = ".index.json";

    /// <summary>Whether a path names the index of a sharded set.</summary>
    public static bool IsIndex(string path) => path.EndsWith(IndexEnding, StringComparison.OrdinalIgnoreCase);

    /// <exception cref="WeightsFileException">A file cannot be read, or its config.json is broken.</exception>
    public static WeightsSource Open(string path)
    {
        if (IsIndex(path))
        {
            var shards = SafetensorsShards.Open(path);
            return Read(path, shards, shards.Tensors, new Dictionary<string, string>());
        }

        var file = SafetensorsFile.Open(path);
        return Read(path, file, file.Tensors, file.Metadata);
    }

    private static WeightsSource Read(string path, IDisposable file, IReadOnlyDictionary<string, LazyTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        try
        {
            var ours = metadata.GetValueOrDefault(WeightsMetadata.Format) == WeightsMetadata.OurFormat;
            var theirs = HuggingFaceNames.Recognize(tensors.Keys);
            var source = new WeightsSource(path, ours ? WeightsFormat.Native : theirs ? WeightsFormat.HuggingFace : WeightsFormat.Safetensors, file);
            if (ours) source.Take(metadata);
            source.AddFlat(tensors);
            if (!ours && theirs) HuggingFaceConfig.Take(source, Path.GetDirectoryName(Path.GetFullPath(path))!);
            return source;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
