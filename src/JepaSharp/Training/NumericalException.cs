using JepaSharp.Optimization;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>A loss or gradient that is not finite. Noticed before any weight changes.</summary>
public sealed class NumericalException : JepaException
{
    private NumericalException(string message, Exception? inner = null)
        : base(message, inner: inner)
    {
    }

    /// <summary>The same, with the numbers of the steps before.</summary>
    internal NumericalException With(string statistics) => new($"{Message} {statistics}", this);

    internal static NumericalException At(long step, double loss, double norm, TrainingState state)
    {
        var bad = state.Trained.SelectMany(n => NotFinite(n.Network.Title, n.Parameters)).ToList();
        var where = bad.Count == 0 ? "every gradient is finite" : $"{bad.Count} parameters have gradients that are not finite, the first {bad[0]}";
        return new NumericalException(
            $"Step {step} gave a loss of {loss} and a gradient norm of {norm}: {where}. No weight was changed. "
            + "Try a lower optimization.lr, a longer optimization.warmup, optimization.clip_grad=1, or --precision fp32.");
    }

    private static IEnumerable<string> NotFinite(string network, FlatParameters parameters)
    {
        foreach (var (name, shape, start) in parameters.Layout)
        {
            using var scope = NewDisposeScope();
            if (!FlatParameters.ViewOf(parameters.Gradients!, start, shape).isfinite().all().item<bool>()) yield return $"{network} {name}";
        }
    }
}
