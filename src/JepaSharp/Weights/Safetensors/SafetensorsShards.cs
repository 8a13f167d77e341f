using System.Text.Json;

namespace JepaSharp.Weights;

/// <summary>A set of safetensors files that together hold one model, by its index (<c>model.safetensors.index.json</c>).</summary>
public sealed class SafetensorsShards : IDisposable
{
    /// <summary>The longest index that is read, in bytes.</summary>
    private const long LongestIndex = 32 << 20;

    private const int MostShards = 1000;
    private readonly Dictionary<string, SafetensorsFile> _files = [];

    private SafetensorsShards(string path) => Path = path;

    /// <summary>The index, as it was named.</summary>
    public string Path { get; }

    /// <summary>Every tensor that the index lists, readable until the set is disposed of.</summary>
    public IReadOnlyDictionary<string, LazyTensor> Tensors { get; private set; } = new Dictionary<string, LazyTensor>();

    /// <summary>Opens an index and all its shards, which lie in the same folder.</summary>
    /// <exception cref="WeightsFileException">The index or a shard is missing or unsound, or a shard lacks a tensor that the index
    /// promises.</exception>
    public static SafetensorsShards Open(string indexPath)
    {
        var shards = new SafetensorsShards(indexPath);
        try
        {
            shards.Tensors = shards.OpenAll(ReadMap(indexPath));
            return shards;
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    /// <summary>Closes all shards.</summary>
    public void Dispose()
    {
        foreach (var file in _files.Values) file.Dispose();
        _files.Clear();
    }

    private Dictionary<string, LazyTensor> OpenAll(Dictionary<string, string> map)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        var tensors = new Dictionary<string, LazyTensor>();
        foreach (var (name, shard) in map)
        {
            if (!_files.TryGetValue(shard, out var file))
            {
                RequirePlain(Path, shard, _files.Count);
                _files.Add(shard, file = SafetensorsFile.Open(System.IO.Path.Combine(folder, shard)));
            }

            tensors.Add(name, file.Find(name));
        }

        return tensors;
    }

    /// <summary>Only a plain name, since an index must not reach out of its folder, and not too many of them.</summary>
    internal static void RequirePlain(string index, string shard, int opened)
    {
        if (shard is "" or "." or ".." || shard.AsSpan().IndexOfAny("/\\:\0") >= 0)
            throw new WeightsFileException(index, $"the shard '{SafetensorsHeader.Shown(shard)}'", "the name of a file in the same folder");
        if (opened == MostShards) throw new WeightsFileException(index, $"more than {MostShards} shards", "fewer");
    }

    /// <summary>The file of each tensor, by an index.</summary>
    /// <exception cref="WeightsFileException">The index is missing or unsound.</exception>
    internal static Dictionary<string, string> ReadMap(string path)
    {
        var map = new Dictionary<string, string>();
        JsonFile.Read(path, LongestIndex, root => Fill(path, root, map));
        return map;
    }

    private static void Fill(string path, JsonElement root, Dictionary<string, string> map)
    {
        if (!root.TryGetProperty("weight_map", out var entries) || entries.ValueKind != JsonValueKind.Object)
            throw new WeightsFileException(path, "no object 'weight_map'", "the index of a sharded safetensors model");
        foreach (var entry in entries.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String)
                throw new WeightsFileException(
                    path, $"something that is not a file name for '{SafetensorsHeader.Shown(entry.Name)}'", "the name of a shard");
            if (!map.TryAdd(entry.Name, entry.Value.GetString()!))
                throw new WeightsFileException(path, $"'{SafetensorsHeader.Shown(entry.Name)}' twice", "each tensor once");
        }
    }
}
