using JepaSharp.Configuration;

namespace JepaSharp.Weights;

/// <summary>Finds the networks in what a PyTorch checkpoint holds.</summary>
internal static class CheckpointSource
{
    private const int MostShown = 4;

    /// <exception cref="WeightsFileException">The checkpoint cannot be read or holds no tensors by name.</exception>
    public static WeightsSource Open(string path)
    {
        var file = PickledCheckpoint.Open(path);
        try
        {
            if (file.Root is not OrderedDictionary<object, object?> root)
                throw new WeightsFileException(path, "a checkpoint that is not a dictionary", "a state_dict, or a dictionary of them");
            var source = new WeightsSource(path, WeightsFormat.TorchCheckpoint, file) { Inside = [], RootKeys = [.. root.Keys.OfType<string>()] };
            return HasNetworks(root) ? AddNetworks(source, root) : StudentAndTeacher.IsOne(root) ? AddBoth(source, root) : AddStates(source, root);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>A Hugging Face model in several files, by its index (<c>pytorch_model.bin.index.json</c>).</summary>
    /// <exception cref="WeightsFileException">
    /// The index or a file of it is missing or unsound, or a file lacks a tensor that the index promises.
    /// </exception>
    public static WeightsSource OpenShards(string path)
    {
        var shards = CheckpointShards.Open(path);
        try
        {
            var source = new WeightsSource(path, WeightsFormat.TorchCheckpoint, shards);
            AddModel(source, shards.Tensors);
            return source;
        }
        catch
        {
            shards.Dispose();
            throw;
        }
    }

    private static bool HasNetworks(OrderedDictionary<object, object?> root) =>
        root.GetValueOrDefault("encoder") is OrderedDictionary<object, object?>
            || root.GetValueOrDefault("target_encoder") is OrderedDictionary<object, object?>;

    /// <summary>The published form: a state_dict for each network, the optimizer's, and the number of epochs.</summary>
    private static WeightsSource AddNetworks(WeightsSource source, OrderedDictionary<object, object?> root)
    {
        var states = NetworkNames.OfImageJepa.Where(network => root.GetValueOrDefault(network) is OrderedDictionary<object, object?>).Select(
            network => (Network: network, Weights: Named((OrderedDictionary<object, object?>)root[network]!).Select(
                weight => (Name: WeightNames.WithoutWrappers(weight.Name), weight.Tensor)).ToList())).ToList();
        // The form is MSN's as well, whose encoders have class tokens, and I-JEPA's have none.
        var isSiamese = states.Exists(state => MaskedSiameseNames.Recognize(state.Weights.Select(weight => weight.Name)));
        if (isSiamese)
        {
            source.LearnedBy(MetaOptions.MaskedSiamese, NetworkNames.OfMaskedSiamese);
            source.LearnedPositions = true;
        }

        foreach (var (network, weights) in states)
        {
            foreach (var (name, tensor) in weights)
            {
                var full = isSiamese ? MaskedSiameseNames.ToOurs(network, name) : $"{network}.{name}";
                if (full is not null && !source.Tensors.TryAdd(full, tensor)) source.Unknown.Add($"{network}.{name}");
            }
        }

        if (isSiamese && root.GetValueOrDefault(NetworkNames.Prototypes) is LazyTensor prototypes)
            source.Tensors.Add($"{NetworkNames.Prototypes}.weight", prototypes);
        if (root.GetValueOrDefault("epoch") is long and >= 0 and var epoch) source.Epoch = epoch;
        TakeOptimizer(source, root.GetValueOrDefault("opt"));
        return source;
    }

    /// <summary>DINO's and iBOT's.</summary>
    private static WeightsSource AddBoth(WeightsSource source, OrderedDictionary<object, object?> root)
    {
        StudentAndTeacher.Take(source, root);
        TakeOptimizer(source, root.GetValueOrDefault("optimizer"));
        return source;
    }

    private static void TakeOptimizer(WeightsSource source, object? saved)
    {
        if (saved is null) return;
        (source.Optimizer, var problem) = AdamWState.Read(saved, source.Tensors, source.Objective);
        if (problem is not null) source.Warnings.Add($"The optimizer's state cannot be used: {problem}.");
    }

    /// <summary>One state_dict, alone or under a usual name.</summary>
    private static WeightsSource AddStates(WeightsSource source, OrderedDictionary<object, object?> root)
    {
        var state = root.GetValueOrDefault("state_dict") ?? root.GetValueOrDefault("model");
        var named = new OrderedDictionary<string, LazyTensor>();
        foreach (var (name, tensor) in Named(state as OrderedDictionary<object, object?> ?? root)) named.TryAdd(name, tensor);
        if (state is OrderedDictionary<object, object?>) source.Inside = [root.GetValueOrDefault("state_dict") is not null ? "state_dict" : "model"];
        if (named.Count == 0)
            throw WithinOthers(source.Path, root) ?? new WeightsFileException(
                source.Path, "no tensors by name", "a state_dict, or a dictionary of encoder, predictor and target_encoder");
        AddModel(source, named);
        // MAE's and data2vec's training states are numbered from 0: that of the first epoch says 0 when it is finished.
        if (root.GetValueOrDefault("epoch") is long and >= 0 and < long.MaxValue and var epoch)
            source.Epoch = source.Objective is MetaOptions.MaskedAutoencoder or MetaOptions.Data2Vec ? epoch + 1 : epoch;
        if (source.Objective == MetaOptions.Data2Vec) AddTeacher(source, root.GetValueOrDefault("model_ema"));
        if (source.Objective == MetaOptions.MaskedAutoencoder) TakeOptimizer(source, root.GetValueOrDefault("optimizer"));
        return source;
    }

    /// <summary>data2vec's average, which its program writes and never reads again: the teacher, without its head, of which nobody asks
    /// anything.</summary>
    private static void AddTeacher(WeightsSource source, object? saved)
    {
        if (saved is not OrderedDictionary<object, object?> state) return;
        foreach (var (name, tensor) in Named(state))
        {
            var inner = WeightNames.WithoutWrappers(name);
            if (inner != StateLayout.RelativePlaces && !inner.StartsWith(NetworkNames.MaskedHead + ".", StringComparison.Ordinal))
                _ = source.Tensors.TryAdd($"{NetworkNames.Teacher}.{inner}", tensor);
        }
    }

    /// <summary>A dictionary of networks by other names, such as DINO's student and teacher; null where there is none.</summary>
    private static WeightsFileException? WithinOthers(string path, OrderedDictionary<object, object?> root)
    {
        var states = root.Where(entry => entry.Key is string).Select(entry => (Key: (string)entry.Key,
            State: entry.Value as OrderedDictionary<object, object?>)).Where(s => s.State is not null).ToList();
        foreach (var (key, state) in states.OrderByDescending(s => s.Key == "teacher"))
        {
            string[] names = [.. Named(state!).Select(n => n.Name)];
            if (PrefixedNames.Explain(path, names, [key], root.Keys.OfType<string>()) is { } explained) return explained;
            if (names.Contains("patch_embed.proj.weight", StringComparer.Ordinal))
                return new WeightsFileException(
                    path,
                    $"a dictionary of {string.Join(", ", states.Take(MostShown).Select(s => $"'{SafetensorsHeader.Shown(s.Key)}'"))}",
                    $"the weights of one network. Write them anew in Python: import torch; torch.save(torch.load('OLD', "
                        + $"map_location='cpu')['{SafetensorsHeader.Shown(key)}'], 'NEW.pth')");
        }

        return null;
    }

    /// <summary>One encoder or several networks by flat names, and what the files beside a Hugging Face model say of it.</summary>
    private static void AddModel(WeightsSource source, IReadOnlyDictionary<string, LazyTensor> named)
    {
        if (source.AddFlat(named)) HuggingFaceConfig.Take(source, Path.GetDirectoryName(Path.GetFullPath(source.Path))!);
    }

    internal static IEnumerable<(string Name, LazyTensor Tensor)> Named(OrderedDictionary<object, object?> state)
    {
        foreach (var (key, value) in state)
        {
            if (key is string name && value is LazyTensor tensor) yield return (name, tensor);
        }
    }
}
