using System.Text.Json;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Training.Checkpoints;

/// <summary>Everything that a run needs to go on, in a folder: <c>weights.safetensors</c>, <c>optimizer.safetensors</c>, <c>state.json</c>.</summary>
/// <remarks>
/// Weights carry the published names under <c>encoder.</c>, <c>predictor.</c> and <c>target_encoder.</c>; AdamW's moments the same names under
/// <c>exp_avg.</c> and <c>exp_avg_sq.</c>. All float32, so a resume is exact.
/// </remarks>
internal static class TrainingCheckpoint
{
    private const string Weights = "weights.safetensors";
    private const string Optimizer = "optimizer.safetensors";
    private const string StateName = "state.json";

    /// <summary>Where a run stood.</summary>
    /// <param name="Step">Steps taken.</param>
    /// <param name="Epoch">Epochs finished.</param>
    /// <param name="Images">Images in the source: order and masks are keyed by their indices.</param>
    /// <param name="OptimizerStart">Steps that the optimizer had taken before the run.</param>
    public sealed record State(long Step, int Epoch, int Images, long OptimizerStart = 0);

    /// <summary>Writes a checkpoint into an existing, empty folder.</summary>
    public static void Write(string folder, PretrainStep step, State state, IReadOnlyDictionary<string, string> metadata)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(Path.Combine(folder, Weights), Networks(step).SelectMany(n => n.Network.state_dict()
            .Select(w => KeyValuePair.Create($"{n.Prefix}.{w.Key}", w.Value.cpu()))), metadata);
        SafetensorsWriter.Write(Path.Combine(folder, Optimizer), Optimizers(step).SelectMany(o => Moments(o.Prefix, o.Parameters, o.Optimizer))
            .Select(m => KeyValuePair.Create(m.Name, m.View.cpu())));
        DurableFile.Write(Path.Combine(folder, StateName), stream => JsonSerializer.Serialize(stream, state));
    }

    /// <summary>Reads a checkpoint into networks and optimizer of the same shapes.</summary>
    /// <exception cref="JepaException">A file is damaged, or of another architecture or data set.</exception>
    public static void Restore(string folder, PretrainStep step, int images)
    {
        var state = ReadState(folder);
        if (state.Images != images)
            throw new JepaException(
                $"The checkpoint {folder} was taken with {state.Images:n0} images, and the data now holds {images:n0}. A run resumes only with the same images; "
                + "to train on with others, start a new run from these weights (--init).",
                isUsage: true);
        using var untracked = no_grad();
        using (var weights = SafetensorsFile.Open(Path.Combine(folder, Weights)))
            Load(folder, weights, Networks(step).SelectMany(n => n.Network.state_dict().Select(w => ($"{n.Prefix}.{w.Key}", w.Value))));
        using (var optimizer = SafetensorsFile.Open(Path.Combine(folder, Optimizer)))
            Load(folder, optimizer, Optimizers(step).SelectMany(o => Moments(o.Prefix, o.Parameters, o.Optimizer)));
        step.Restore(state.Step, state.OptimizerStart);
        step.WeightsReplaced();
    }

    /// <summary>Reads where a checkpoint's run stood.</summary>
    public static State ReadState(string folder)
    {
        var path = Path.Combine(folder, StateName);
        try
        {
            return JsonSerializer.Deserialize<State>(File.ReadAllBytes(path)) ?? throw new JsonException("it is empty");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new JepaException($"{path} cannot be read: {e.Message} The checkpoint is damaged or incomplete; use another one.", inner: e);
        }
    }

    private static void Load(string folder, SafetensorsFile file, IEnumerable<(string Name, Tensor Tensor)> wanted)
    {
        using var scope = NewDisposeScope();
        var problems = new List<string>();
        var known = wanted.ToList();
        foreach (var (name, tensor) in known)
        {
            if (!file.Tensors.TryGetValue(name, out var found)) problems.Add($"{name} is missing");
            else if (!found.Shape.SequenceEqual(tensor.shape)) problems.Add($"{name} is [{string.Join(", ", found.Shape)}], expected [{string.Join(", ", tensor.shape)}]");
        }

        problems.AddRange(file.Names.Except(known.Select(k => k.Name)).Select(name => $"{name} is not part of this model"));
        if (problems.Count > 0)
            throw new JepaException(
                $"The checkpoint {folder} is of another architecture: {string.Join("; ", problems.Take(3))}"
                + (problems.Count > 3 ? $"; and {problems.Count - 3} more" : "") + ". Use the configuration that it was trained with.",
                isUsage: true);
        foreach (var (name, tensor) in known) _ = tensor.copy_(file.Read(name));
    }

    private static (string Prefix, nn.Module Network)[] Networks(PretrainStep step) =>
        [("encoder", step.Objective.ContextEncoder), ("predictor", step.Objective.Predictor), ("target_encoder", step.Objective.TargetEncoder)];

    private static (string Prefix, FlatParameters Parameters, AdamW Optimizer)[] Optimizers(PretrainStep step) =>
        [("encoder", step.Context, step.ContextOptimizer), ("predictor", step.Prediction, step.PredictorOptimizer)];

    private static IEnumerable<(string Name, Tensor View)> Moments(string prefix, FlatParameters parameters, AdamW optimizer)
    {
        foreach (var (kind, flat) in ((string, Tensor)[])[("exp_avg", optimizer.FirstMoment), ("exp_avg_sq", optimizer.SecondMoment)])
        {
            foreach (var (name, shape, start) in parameters.Layout)
                yield return ($"{kind}.{prefix}.{name}", FlatParameters.ViewOf(flat, start, shape));
        }
    }
}
