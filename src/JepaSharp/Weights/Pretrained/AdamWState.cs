using JepaSharp.Configuration;

namespace JepaSharp.Weights;

/// <summary>What AdamW keeps for one parameter.</summary>
/// <param name="First">Running mean of the gradient (exp_avg), in the parameter's shape.</param>
/// <param name="Second">Running mean of its square (exp_avg_sq), in the parameter's shape.</param>
/// <param name="Step">Steps taken.</param>
public sealed record AdamWMoments(LazyTensor First, LazyTensor Second, long Step);

/// <summary>The state of AdamW from a published checkpoint, by the full names of parameters ("encoder.norm.weight").</summary>
/// <remarks>
/// PyTorch numbers parameters in the order in which they were given to the optimizer. The published code gives four groups: encoder
/// weights, predictor weights, encoder biases and one-dimensional parameters, predictor biases and one-dimensional parameters, each in the order
/// of the network, which is the order of its state in the file. The fixed position tables count but have no state. MAE's code gives two groups,
/// biases and one-dimensional parameters first, then the others, each in the order of the whole model; its position tables are in neither. DINO's and
/// iBOT's give two as well, the others first, of the student alone: see <see cref="StudentAndTeacher.Group"/>. MSN's gives three: the encoder's
/// weights with its head's, its biases and one-dimensional parameters, and the prototypes.
/// </remarks>
public sealed class AdamWState
{
    private AdamWState(IReadOnlyDictionary<string, AdamWMoments> moments) => Moments = moments;

    /// <summary>The state of each parameter that has one.</summary>
    public IReadOnlyDictionary<string, AdamWMoments> Moments { get; }

    /// <summary>Steps taken: of the parameter that took most.</summary>
    public long Step => Moments.Count == 0 ? 0 : Moments.Values.Max(moments => moments.Step);

    /// <summary>Assigns an optimizer's state to parameters.</summary>
    /// <param name="saved">What <c>optimizer.state_dict()</c> gave.</param>
    /// <param name="tensors">The networks' weights by full name, in the file's order.</param>
    /// <param name="objective">What was learned, if the file says.</param>
    /// <returns>The state, or why it cannot be told which parameter is which.</returns>
    internal static (AdamWState? State, string? Problem) Read(
        object? saved, IReadOnlyDictionary<string, LazyTensor> tensors, string? objective = null)
    {
        if (saved is not OrderedDictionary<object, object?> root || root.GetValueOrDefault("state") is not OrderedDictionary<object, object?> state
            || root.GetValueOrDefault("param_groups") is not List<object?> { Count: 4 or 3 or 2 } groups)
            return (null, "it has not the four parameter groups of the published I-JEPA code, nor the three of MSN's or the two of MAE's");
        var moments = new Dictionary<string, AdamWMoments>();
        for (var i = 0; i < groups.Count; i++)
        {
            if (groups[i] is not OrderedDictionary<object, object?> group || group.GetValueOrDefault("params") is not List<object?> indices)
                return (null, $"its parameter group {i + 1} is broken");
            var isOfBoth = objective is MetaOptions.Dino or MetaOptions.Ibot && groups.Count == 2;
            var names = groups.Count switch
            {
                2 when isOfBoth => StudentAndTeacher.Group(tensors, isDecayed: i == 0, withLengths: true),
                2 => GroupOfAutoencoder(i, tensors),
                3 => GroupOfSiamese(i, tensors),
                _ => Group(i, tensors, withPositions: true),
            };
            if (names.Count != indices.Count && isOfBoth) names = StudentAndTeacher.Group(tensors, isDecayed: i == 0, withLengths: false);
            if (names.Count != indices.Count && groups.Count == 4) names = Group(i, tensors, withPositions: false);
            if (names.Count != indices.Count)
                return (null, $"its parameter group {i + 1} has {indices.Count} parameters and the networks {names.Count} of that kind");
            for (var k = 0; k < names.Count; k++)
            {
                if (indices[k] is not long index || !state.TryGetValue(index, out var entry)) continue;
                if (ReadMoments(entry, tensors[names[k]]) is not { } found) return (null, $"its state for {names[k]} has another shape or is broken");
                moments[names[k]] = found;
            }
        }

        return moments.Count == 0 ? (null, "it is empty") : (new AdamWState(moments), null);
    }

    private static IReadOnlyList<string> Group(int group, IReadOnlyDictionary<string, LazyTensor> tensors, bool withPositions)
    {
        var prefix = (group % 2 == 0 ? NetworkNames.ContextEncoder : NetworkNames.Predictor) + ".";
        return [.. tensors
            .Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Where(pair => WeightNames.IsUndecayed(pair.Key, pair.Value.Shape.Count) == (group >= 2))
            .Where(pair => withPositions || !pair.Key.EndsWith("pos_embed", StringComparison.Ordinal))
            .Select(pair => pair.Key)];
    }

    private static IReadOnlyList<string> GroupOfAutoencoder(int group, IReadOnlyDictionary<string, LazyTensor> tensors) =>
        [.. tensors
            .Where(pair => WeightNames.IsUndecayed(pair.Key, pair.Value.Shape.Count) == (group == 0))
            .Where(pair => !pair.Key.EndsWith("pos_embed", StringComparison.Ordinal))
            .Select(pair => pair.Key)];

    private static List<string> GroupOfSiamese(int group, IReadOnlyDictionary<string, LazyTensor> tensors) =>
        [.. tensors
            .Where(pair => WeightNames.Split(pair.Key, NetworkNames.OfMaskedSiamese).Network switch
            {
                NetworkNames.ContextEncoder or NetworkNames.Head =>
                    group < 2 && WeightNames.IsUndecayed(pair.Key, pair.Value.Shape.Count) == (group == 1),
                NetworkNames.Prototypes => group == 2,
                _ => false,
            })
            .Select(pair => pair.Key)];

    private static AdamWMoments? ReadMoments(object? entry, LazyTensor parameter)
    {
        if (entry is not OrderedDictionary<object, object?> fields) return null;
        if (fields.GetValueOrDefault("exp_avg") is not LazyTensor first || fields.GetValueOrDefault("exp_avg_sq") is not LazyTensor second)
            return null;
        if (!first.Shape.SequenceEqual(parameter.Shape) || !second.Shape.SequenceEqual(parameter.Shape)) return null;
        return StepOf(fields.GetValueOrDefault("step")) is { } step and >= 0 ? new AdamWMoments(first, second, step) : null;
    }

    /// <summary>A number in older PyTorch, a tensor of one element in newer.</summary>
    private static long? StepOf(object? value)
    {
        switch (value)
        {
            case long number:
                return number;
            case double number when double.IsInteger(number) && Math.Abs(number) < 1e15:
                return (long)number;
            case LazyTensor { Count: 1 } tensor:
                using (var read = tensor.Read())
                using (var wide = read.to_type(TorchSharp.torch.ScalarType.Float64))
                {
                    var number = wide.item<double>();
                    return double.IsInteger(number) && Math.Abs(number) < 1e15 ? (long)number : null;
                }

            default:
                return null;
        }
    }
}
