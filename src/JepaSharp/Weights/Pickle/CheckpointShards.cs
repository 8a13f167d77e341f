namespace JepaSharp.Weights;

/// <summary>A set of PyTorch's files that together hold one model, by its index (<c>pytorch_model.bin.index.json</c>).</summary>
internal sealed class CheckpointShards : IDisposable
{
    private readonly Dictionary<string, PickledCheckpoint> _files = [];

    private CheckpointShards()
    {
    }

    /// <summary>Every tensor that the index lists, readable until the set is disposed of.</summary>
    public IReadOnlyDictionary<string, LazyTensor> Tensors { get; private set; } = new Dictionary<string, LazyTensor>();

    /// <summary>Opens an index and all its files, which lie in the same folder.</summary>
    /// <exception cref="WeightsFileException">
    /// The index or a file is missing or unsound, or a file lacks a tensor that the index promises.
    /// </exception>
    public static CheckpointShards Open(string index)
    {
        var shards = new CheckpointShards();
        try
        {
            shards.Tensors = shards.OpenAll(index, SafetensorsShards.ReadMap(index));
            return shards;
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files.Values) file.Dispose();
        _files.Clear();
    }

    private OrderedDictionary<string, LazyTensor> OpenAll(string index, Dictionary<string, string> map)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(index))!;
        var held = new Dictionary<string, Dictionary<string, LazyTensor>>();
        var tensors = new OrderedDictionary<string, LazyTensor>();
        foreach (var (name, shard) in map)
        {
            if (!held.TryGetValue(shard, out var inShard))
            {
                SafetensorsShards.RequirePlain(index, shard, _files.Count);
                var file = PickledCheckpoint.Open(Path.Combine(folder, shard));
                _files.Add(shard, file);
                if (file.Root is not OrderedDictionary<object, object?> root)
                    throw new WeightsFileException(file.Path, "a file that is not a dictionary", "a part of a state_dict");
                inShard = [];
                foreach (var (key, tensor) in CheckpointSource.Named(root)) inShard[key] = tensor;
                held.Add(shard, inShard);
            }

            if (!inShard.TryGetValue(name, out var found))
                throw new WeightsFileException(Path.Combine(folder, shard), $"no '{SafetensorsHeader.Shown(name)}'", "it, as the index says");
            tensors.Add(name, found);
        }

        return tensors;
    }
}
