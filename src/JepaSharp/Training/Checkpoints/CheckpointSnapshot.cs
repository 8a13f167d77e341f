using JepaSharp.Optimization;
using static TorchSharp.torch;

namespace JepaSharp.Training.Checkpoints;

/// <summary>What a checkpoint will hold: the numbers of a moment between two steps, which training then leaves behind.</summary>
/// <remarks>
/// Taking one is a plain copy of the flat tensors, so that a step waits for memory and not for a disk. A weight's name begins with its network's,
/// such as
/// <c>encoder.</c>, <c>predictor.</c> and <c>target_encoder.</c>; AdamW's moments have the same names under <c>exp_avg.</c> and <c>exp_avg_sq.</c>,
/// the objective's own state under <c>state.</c>, in the optimizer's file.
/// </remarks>
internal sealed class CheckpointSnapshot : IDisposable
{
    private readonly List<Tensor> _owned = [];
    private readonly List<(string Name, Tensor Flat, long Start, long[] Shape)> _weights = [], _moments = [];

    private CheckpointSnapshot(TrainingState training, CheckpointState state, IReadOnlyDictionary<string, string> metadata, bool copy)
    {
        (State, Metadata) = (state, metadata);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        foreach (var network in training.Networks.Where(n => n.Network.IsSaved)) AddWeights(network, copy);
        foreach (var network in training.Trained) AddMoments(network, copy);
        foreach (var kept in training.Objective.State)
            _moments.Add(("state." + kept.Name, copy ? Kept(kept.Value, copy) : kept.Value, -1, kept.Value.shape));
    }

    /// <summary>Where the run stood.</summary>
    public CheckpointState State { get; }

    /// <summary>What the weights' file says about them.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Copies everything. On the training thread, between steps.</summary>
    public static CheckpointSnapshot Take(TrainingState training, CheckpointState state, IReadOnlyDictionary<string, string> metadata) =>
        new(training, state, metadata, copy: true);

    /// <summary>Looks at the run's own memory: no step may be taken until it is written.</summary>
    public static CheckpointSnapshot View(TrainingState training, CheckpointState state, IReadOnlyDictionary<string, string> metadata) =>
        new(training, state, metadata, copy: false);

    /// <summary>Bytes that <see cref="Take"/> would copy.</summary>
    public static long BytesOf(TrainingState training) =>
        training.Networks.Where(n => n.Network.IsSaved).Sum(n => n.Parameters.Count * (n.Optimizer is null ? 1 : 3)) * sizeof(float);

    /// <summary>The networks' tensors, in the dispose scope of whoever asks.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Weights() => Views(_weights);

    /// <summary>AdamW's moments and the objective's state, in the dispose scope of whoever asks.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Moments() => Views(_moments);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _owned) tensor.Dispose();
        _owned.Clear();
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Views(List<(string Name, Tensor Flat, long Start, long[] Shape)> parts) =>
        parts.Select(p => KeyValuePair.Create(p.Name, p.Start < 0 ? p.Flat.alias() : FlatParameters.ViewOf(p.Flat, p.Start, p.Shape)));

    private void AddWeights(NetworkState network, bool copy)
    {
        var flat = Kept(network.Parameters.Values, copy);
        var places = network.Parameters.Layout.ToDictionary(p => p.Name);
        foreach (var (inner, tensor) in network.Network.Module.state_dict())
        {
            var name = $"{network.Network.Name}.{inner}";
            if (places.TryGetValue(inner, out var place)) _weights.Add((name, flat, place.Start, place.Shape));
            else _weights.Add((name, Buffer(tensor, copy), 0, tensor.shape));
        }
    }

    private void AddMoments(NetworkState network, bool copy)
    {
        foreach (
            var (kind, moment) in ((string, Tensor)[])[("exp_avg", network.Optimizer!.FirstMoment), ("exp_avg_sq", network.Optimizer.SecondMoment)])
        {
            var flat = Kept(moment, copy);
            foreach (var (name, shape, start) in network.Parameters.Layout)
                _moments.Add(($"{kind}.{network.Network.Name}.{name}", flat, start, shape));
        }
    }

    /// <summary>A tensor beside the flat ones, such as the table of positions.</summary>
    private Tensor Buffer(Tensor tensor, bool copy)
    {
        var flat = tensor.flatten();
        if (copy) return Kept(flat, copy);
        _owned.Add(flat.DetachFromDisposeScope());
        return flat;
    }

    private Tensor Kept(Tensor flat, bool copy)
    {
        if (!copy) return flat;
        var kept = empty(flat.shape, flat.dtype, CPU).DetachFromDisposeScope();
        _owned.Add(kept);
        _ = kept.copy_(flat);
        return kept;
    }
}
