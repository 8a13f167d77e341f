using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Training.Checkpoints;

/// <summary>Everything that a run needs to go on, in a folder: <c>weights.safetensors</c>, <c>optimizer.safetensors</c>, <c>state.json</c>.</summary>
/// <remarks>All float32, so a resume is exact; the names are those of <see cref="CheckpointSnapshot"/>.</remarks>
internal static class TrainingCheckpoint
{
    private const string Weights = "weights.safetensors";
    private const string Optimizer = "optimizer.safetensors";

    /// <summary>Writes a checkpoint into an existing, empty folder, each file flushed to disk and <c>state.json</c> last.</summary>
    public static void Write(string folder, CheckpointSnapshot snapshot)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(Path.Combine(folder, Weights), snapshot.Weights(), snapshot.Metadata);
        SafetensorsWriter.Write(Path.Combine(folder, Optimizer), snapshot.Moments());
        snapshot.State.Write(folder);
    }

    /// <summary>Reads a checkpoint into networks and optimizer of the same shapes.</summary>
    /// <returns>Where the run stood.</returns>
    /// <exception cref="JepaException">A file is damaged, or of another architecture or data set.</exception>
    public static CheckpointState Restore(string folder, TrainingState training, int images)
    {
        var state = CheckpointState.Read(folder);
        if (state.Images != images)
            throw new JepaException(
                $"The checkpoint {folder} was taken with {Quantity.Of(state.Images, "image")}, and the data now holds {images:n0}. A run resumes "
                    + "only with the same images; to train on with others, start a new run from these weights (--init).",
                isUsage: true);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        using var own = CheckpointSnapshot.View(training, state, new Dictionary<string, string>());
        using (var weights = SafetensorsFile.Open(Path.Combine(folder, Weights)))
            Load(folder, weights, own.Weights());
        using (var optimizer = SafetensorsFile.Open(Path.Combine(folder, Optimizer)))
            Load(folder, optimizer, own.Moments());
        training.Restore(state.Step, state.OptimizerStart);
        training.WeightsReplaced();
        return state;
    }

    private static void Load(string folder, SafetensorsFile file, IEnumerable<KeyValuePair<string, Tensor>> wanted)
    {
        var problems = new List<string>();
        var known = wanted.ToList();
        foreach (var (name, tensor) in known)
        {
            if (!file.Tensors.TryGetValue(name, out var found)) problems.Add($"{name} is missing");
            else if (!found.Shape.SequenceEqual(tensor.shape))
                problems.Add($"{name} is [{string.Join(", ", found.Shape)}], expected [{string.Join(", ", tensor.shape)}]");
        }

        problems.AddRange(file.Names.Except(known.Select(k => k.Key)).Select(name => $"{name} is not part of this model"));
        if (problems.Count > 0)
            throw new JepaException(
                $"The checkpoint {folder} is of another architecture: {string.Join("; ", problems.Take(3))}"
                + (problems.Count > 3 ? $"; and {problems.Count - 3} more" : "") + ". Use the configuration that it was trained with.",
                isUsage: true);
        foreach (var (name, tensor) in known) _ = tensor.copy_(file.Read(name));
    }
}
