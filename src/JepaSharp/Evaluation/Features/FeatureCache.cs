using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using JepaSharp.Data.Cropping;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Features;

/// <summary>Features kept on disk, so that the second probe on the same images and weights begins at once.</summary>
/// <remarks>
/// A file for each kind of features and collection, named by a SHA-256 over everything that the numbers depend on: weights, transform, computation,
/// the images (<see cref="DataFingerprint"/>) and this program's build. Files are written under another name and renamed; each carries a checksum,
/// and one that is damaged is computed again. When all together grow beyond the limit, those that were not used for longest go.
/// </remarks>
/// <param name="folder">Where they are kept; made when first needed.</param>
/// <param name="limitBytes">Most bytes of all together.</param>
public sealed class FeatureCache(string folder, long limitBytes)
{
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);

    private const string Ending = ".features.safetensors", Values = "features", Indices = "indices", Checksum = "sha256";

    /// <summary>Limit where none is given: 4 GiB.</summary>
    public const long DefaultLimit = 4L << 30;

    /// <summary>Where they are kept.</summary>
    public string Folder { get; } = HomePath.Expand(folder);

    /// <summary>JEPASHARP_CACHE, else jepasharp in the user's cache folder; null where the user has no home.</summary>
    public static string? DefaultFolder() => CacheFolder.Default();

    /// <summary>The key of features: equal keys mean equal numbers.</summary>
    /// <param name="kind">What is taken of each image.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="data">From <see cref="DataFingerprint"/>.</param>
    public static string KeyOf(ImageFeatures kind, EvaluationTransform transform, string data) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{typeof(FeatureCache).Module.ModuleVersionId}\n{kind.Identity}\n{transform}\n{data}")).AsSpan(0,
            20));

    /// <summary>Features kept earlier, or null.</summary>
    public PooledFeatures? Find(string key)
    {
        var path = PathOf(key);
        if (!File.Exists(path)) return null;
        try
        {
            using var scope = NewDisposeScope();
            using var file = SafetensorsFile.Open(path);
            var matrix = FeatureMatrix.FromTensor(file.Tensors[Values].Read());
            var indices = file.Tensors[Indices].Read().data<int>().ToArray();
            if (file.Metadata.GetValueOrDefault(Checksum) != Hash(matrix, indices)) return null;
            MarkAsUsed(path);
            return new PooledFeatures(matrix, indices);
        }
        catch (Exception e) when (e is JepaException or IOException or UnauthorizedAccessException or KeyNotFoundException)
        {
            return null; // damaged, or gone in between: computed again
        }
    }

    /// <summary>Keeps features, and lets go of what was not used for longest beyond the limit. What is larger than the limit is not kept.</summary>
    /// <exception cref="JepaException">The folder cannot be written.</exception>
    public void Keep(string key, PooledFeatures features)
    {
        if (4L * features.Matrix.Values.Length > limitBytes) return;
        try
        {
            Directory.CreateDirectory(Folder);
            using var claim = OutputLock.TryTake(PathOf(key) + OutputLock.Extension);
            if (claim is null) return; // another process is keeping the same numbers
            using var scope = NewDisposeScope();
            SafetensorsWriter.Write(
                PathOf(key),
                [KeyValuePair.Create(Values, features.Matrix.ToTensor()), KeyValuePair.Create(Indices, tensor(features.Indices))],
                new Dictionary<string, string> { [Checksum] = Hash(features.Matrix, features.Indices) });
            RemoveBeyondLimit(PathOf(key));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or WeightsFileException)
        {
            throw new JepaException($"The cache folder {Folder} cannot be written ({Reason(e.InnerException ?? e)}).", inner: e);
        }
    }

    /// <summary>What was used goes last; in a cache of others that can only be read, nothing goes.</summary>
    private static void MarkAsUsed(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private void RemoveBeyondLimit(string newest)
    {
        var folder = new DirectoryInfo(Folder);
        var total = new FileInfo(newest).Length;
        foreach (var file in folder.EnumerateFiles("*" + Ending)
            .Where(f => f.FullName != Path.GetFullPath(newest)).OrderByDescending(f => f.LastWriteTimeUtc).ToList())
        {
            total += file.Length;
            if (total > limitBytes) Remove(file);
        }

        // What a process left that ended while it wrote.
        foreach (var file in folder.EnumerateFiles("*" + Ending + ".*.partial").Where(f => DateTime.UtcNow - f.LastWriteTimeUtc > Abandoned).ToList())
            Remove(file);
    }

    /// <summary>What another process removes at the same time, or does not let go of, is no reason to fail.</summary>
    private static void Remove(FileInfo file)
    {
        try
        {
            file.Delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>Without the path that the system's message ends in: the folder is named already.</summary>
    private static string Reason(Exception e) => e.Message.Split(" : '", 2)[0].TrimEnd('.');

    private string PathOf(string key) => Path.Combine(Folder, key + Ending);

    private static string Hash(FeatureMatrix matrix, int[] indices)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes(matrix.Values));
        hash.AppendData(MemoryMarshal.AsBytes(indices.AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
