using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>What a look at every number of some weights found.</summary>
/// <param name="Types">Element types, "float32", with the number of tensors of each.</param>
/// <param name="NotFinite">Tensors with NaN or infinite numbers, each with how many of which.</param>
/// <param name="AllZero">Tensors of zeros alone.</param>
public sealed record WeightsSurvey(IReadOnlyDictionary<string, int> Types, IReadOnlyList<string> NotFinite, IReadOnlyList<string> AllZero)
{
    /// <summary>Reads every tensor, one at a time.</summary>
    /// <exception cref="WeightsFileException">The file is damaged.</exception>
    public static WeightsSurvey Of(PretrainedWeights weights)
    {
        var types = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var (notFinite, allZero) = (new List<string>(), new List<string>());
        using var untracked = no_grad();
        foreach (var (name, lazy) in weights.Tensors)
        {
            using var scope = NewDisposeScope();
            types[ElementType.Name(lazy.Type)] = types.GetValueOrDefault(ElementType.Name(lazy.Type)) + 1;
            var tensor = lazy.Read();
            if (lazy.IsFloating && !tensor.isfinite().all().item<bool>())
                notFinite.Add($"{name}: {tensor.isnan().sum().item<long>()} NaN and {tensor.isinf().sum().item<long>()} infinite of {lazy.Count}");
            else if (lazy.Count > 0 && !tensor.any().item<bool>())
                allZero.Add(name);
        }

        return new WeightsSurvey(types, notFinite, allZero);
    }
}
