using JepaSharp.Optimization;
using static TorchSharp.torch;

namespace JepaSharp.Training.Checkpoints;

/// <summary>What a checkpoint will hold: the numbers of a moment between two steps, which training then leaves behind.</summary>
/// <remarks>
/// Taking one is a plain copy of the flat tensors, so that a step waits for memory and not for a disk. Tensors carry the published names
/// under <c>encoder.</c>, <c>predictor.</c> and <c>target_encoder.</c>; AdamW's moments the same names under <c>exp_avg.</c> and <c>exp_avg_sq.</c>.
/// </remarks>
internal sealed class CheckpointSnapshot : IDisposable
{
    private readonly List<Tensor> _owned = [];
    private readonly List<(string Name, Tensor Flat, long Start, long[] Shape)> _weights = [], _moments = [];

    private CheckpointSnapshot(PretrainStep step, CheckpointState state, IReadOnlyDictionary<string, string> metadata, bool copy)
    {
        (State, Metadata) = (state, metadata);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        AddWeights("encoder", step.Objective.ContextEncoder, step.Context, copy);
        AddWeights("predictor", step.Objective.Predictor, step.Prediction, copy);
        AddWeights("target_encoder", step.Objective.TargetEncoder, step.Target, copy);
        AddMoments("encoder", step.Context, step.ContextOptimizer, copy);
        AddMoments("predictor", step.Prediction, step.PredictorOptimizer, copy);
    }

    /// <summary>Where the run stood.</summary>
    public CheckpointState State { get; }

    /// <summary>What the weights' file says about them.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Copies everything. On the training thread, between steps.</summary>
    public static CheckpointSnapshot Take(PretrainStep step, CheckpointState state, IReadOnlyDictionary<string, string> metadata) => new(step, state, metadata, copy: true);

    /// <summary>Looks at the run's own memory: no step may be taken until it is written.</summary>
    public static CheckpointSnapshot View(PretrainStep step, CheckpointState state, IReadOnlyDictionary<string, string> metadata) => new(step, state, metadata, copy: false);

    /// <summary>Bytes that <see cref="Take"/> would copy.</summary>
    public static long BytesOf(PretrainStep step) =>
        ((3 * step.Context.Values.numel()) + (3 * step.Prediction.Values.numel()) + step.Target.Values.numel()) * sizeof(float);

    /// <summary>The networks' tensors, in the dispose scope of whoever asks.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Weights() => Views(_weights);

    /// <summary>AdamW's moments, in the dispose scope of whoever asks.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Moments() => Views(_moments);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _owned) tensor.Dispose();
        _owned.Clear();
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Views(List<(string Name, Tensor Flat, long Start, long[] Shape)> parts) =>
        parts.Select(p => KeyValuePair.Create(p.Name, FlatParameters.ViewOf(p.Flat, p.Start, p.Shape)));

    private void AddWeights(string prefix, nn.Module network, FlatParameters parameters, bool copy)
    {
        var flat = Kept(parameters.Values, copy);
        var places = parameters.Layout.ToDictionary(p => p.Name);
        foreach (var (name, tensor) in network.state_dict())
        {
            if (places.TryGetValue(name, out var place)) _weights.Add(($"{prefix}.{name}", flat, place.Start, place.Shape));
            else _weights.Add(($"{prefix}.{name}", Buffer(tensor, copy), 0, tensor.shape));
        }
    }

    private void AddMoments(string prefix, FlatParameters parameters, AdamW optimizer, bool copy)
    {
        foreach (var (kind, moment) in ((string, Tensor)[])[("exp_avg", optimizer.FirstMoment), ("exp_avg_sq", optimizer.SecondMoment)])
        {
            var flat = Kept(moment, copy);
            foreach (var (name, shape, start) in parameters.Layout) _moments.Add(($"{kind}.{prefix}.{name}", flat, start, shape));
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
