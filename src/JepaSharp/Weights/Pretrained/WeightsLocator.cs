using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>Works out what a path to weights is, and opens it with the reader for it.</summary>
internal static class WeightsLocator
{
    private const string Ours = "weights.safetensors";
    private const string Checkpoints = "checkpoints";
    private static readonly string[] InModelFolder =
        ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];


    /// <summary>Whether a path looks like weights: a file by its ending, a folder by what lies in it.</summary>
    public static bool AreAt(string path)
    {
        path = HomePath.Expand(path);
        if (File.Exists(path))
            return path.EndsWith(".pth.tar", StringComparison.OrdinalIgnoreCase) || SafetensorsSource.IsIndex(path)
                || Path.GetExtension(path).ToLowerInvariant() is ".safetensors" or ".pth" or ".pt" or ".bin" or ".ckpt";
        if (!Directory.Exists(path)) return false;
        return File.Exists(Path.Combine(path, Ours)) || InModelFolder.Any(name => File.Exists(Path.Combine(path, name)))
            || Directory.Exists(Path.Combine(path, Checkpoints));
    }

    /// <exception cref="WeightsFileException">There is nothing there, or nothing that is understood.</exception>
    public static WeightsSource Open(string path)
    {
        path = HomePath.Expand(path);
        if (Directory.Exists(path))
        {
            try
            {
                return OpenFile(InFolder(path));
            }
            catch (UnauthorizedAccessException e)
            {
                throw WeightsFileException.Failed(path, "looking into the folder", e);
            }
        }

        if (!File.Exists(path) || Absence.IsDangling(path))
            throw new WeightsFileException(path, Absence.Of(path) == Absence.Nothing ? "nothing there"
                : $"nothing that can be read (it {Absence.Of(path)})", "a run folder, a checkpoint folder, a .pth.tar, .pth, .pt or .safetensors "
                + "file, or a Hugging Face folder");
        return OpenFile(path);
    }

    private static WeightsSource OpenFile(string path)
    {
        if (path.EndsWith(".bin.index.json", StringComparison.OrdinalIgnoreCase)) return CheckpointSource.OpenShards(path);
        if (SafetensorsSource.IsIndex(path)) return SafetensorsSource.Open(path);
        // By content: names lie (.pth.tar is no tar).
        var start = new byte[9];
        int read;
        try
        {
            using var handle = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            read = RandomAccess.Read(handle, start, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WeightsFileException.Failed(path, "opening", e);
        }

        var looksLikeSafetensors = read == start.Length && start[8] == (byte)'{' && !PickleFormats.IsZip(start) && !PickleFormats.IsBarePickle(start);
        var namedSafetensors = path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) && !PickleFormats.IsZip(start);
        if (!looksLikeSafetensors && !namedSafetensors) return CheckpointSource.Open(path);
        CheckpointFiles.Verify(path);
        return SafetensorsSource.Open(path);
    }

    private static string InFolder(string folder)
    {
        var own = Path.Combine(folder, Ours);
        if (File.Exists(own)) return own;
        foreach (var name in InModelFolder)
        {
            if (File.Exists(Path.Combine(folder, name))) return Path.Combine(folder, name);
        }

        var checkpoints = Path.Combine(folder, Checkpoints);
        var newest = Directory.Exists(checkpoints) ? Newest(checkpoints) : null;
        if (newest is not null) return newest;
        _ = Directory.EnumerateFileSystemEntries(folder).Any(); // Without permission to look into it nothing can be said of what it holds.
        throw new WeightsFileException(folder, "a folder without weights",
            $"{Ours} (a checkpoint), {Checkpoints}/ with at least one of them (a run), or {string.Join(", ", InModelFolder)} (Hugging Face)");
    }

    /// <summary>What the run handed over as its best, if it has ended; else "latest", else its predecessor, else the highest epoch; never one that is
    /// still being written.</summary>
    private static string? Newest(string checkpoints) =>
        Directory.GetDirectories(checkpoints)
            .Where(folder => !folder.EndsWith(".partial", StringComparison.Ordinal) && File.Exists(Path.Combine(folder, Ours)))
            .OrderByDescending(folder => Path.GetFileName(folder) == "best")
            .ThenByDescending(folder => Path.GetFileName(folder) == "latest")
            .ThenByDescending(folder => Path.GetFileName(folder) == "latest.previous")
            .ThenByDescending(folder => Path.GetFileName(folder).Length) // epoch-10000 comes after epoch-9999
            .ThenByDescending(Path.GetFileName, StringComparer.Ordinal)
            .Select(folder => Path.Combine(folder, Ours))
            .FirstOrDefault();
}

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

    private static WeightsSource Read(
        string path, IDisposable file, IReadOnlyDictionary<string, LazyTensor> tensors, IReadOnlyDictionary<string, string> metadata)
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
