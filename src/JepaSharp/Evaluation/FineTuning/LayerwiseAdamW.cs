using JepaSharp.Optimization;
using JepaSharp.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.FineTuning;

/// <summary>AdamW with a learning rate for each layer, and a moving average of the weights.</summary>
/// <remarks>
/// Loshchilov and Hutter, 2019, algorithm 2, betas 0.9 and 0.999. Layer l of L + 1 (patch embedding 0, block i: i + 1, head and last norm L) learns
/// at decay^(L - l) of the rate (Clark et al., ELECTRA, 2020; Bao et al., BEiT, 2022).
/// </remarks>
internal sealed class LayerwiseAdamW : IDisposable
{
    private readonly List<Entry> _entries = [];
    private long _step;

    public LayerwiseAdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, int depth, double layerDecay)
    {
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in parameters)
        {
            var share = Math.Pow(layerDecay, depth + 1 - LayerOf(name, depth));
            _entries.Add(new Entry(
                parameter, zeros_like(parameter).DetachFromDisposeScope(), zeros_like(parameter).DetachFromDisposeScope(), parameter.detach().clone().DetachFromDisposeScope(), share, parameter.dim() > 1));
        }
    }

    /// <summary>0 for the patch embedding, i + 1 for block i, depth + 1 for what comes after.</summary>
    internal static int LayerOf(string name, int depth)
    {
        if (name.StartsWith("patch_embed", StringComparison.Ordinal)) return 0;
        return name.StartsWith("blocks.", StringComparison.Ordinal) ? int.Parse(name.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture) + 1 : depth + 1;
    }

    /// <summary>One step with the gradients that are there, which are then dropped.</summary>
    public void Step(double learningRate, double weightDecay, double average)
    {
        using var untracked = no_grad();
        _step++;
        var momentum = Math.Min(average, (1.0 + _step) / (10 + _step));
        foreach (var entry in _entries)
        {
            using var scope = NewDisposeScope();
            if (entry.Parameter.grad is not { } gradient)
            {
                _ = entry.Average.Towards_(entry.Parameter, 1 - momentum);
                continue;
            }

            AdamWUpdate.Take(entry.Parameter, gradient.contiguous(), entry.Mean, entry.Square, entry.Average, learningRate * entry.Share, entry.IsDecayed ? weightDecay : 0, _step, momentum);
            _ = gradient.zero_();
        }
    }

    /// <summary>Puts the averaged weights in place of the trained ones.</summary>
    public void UseAverage()
    {
        using var untracked = no_grad();
        foreach (var entry in _entries)
        {
            using var scope = NewDisposeScope();
            _ = entry.Parameter.copy_(entry.Average);
        }
    }

    public void Dispose()
    {
        foreach (var entry in _entries)
        {
            entry.Mean.Dispose();
            entry.Square.Dispose();
            entry.Average.Dispose();
        }
    }

    private sealed record Entry(Parameter Parameter, Tensor Mean, Tensor Square, Tensor Average, double Share, bool IsDecayed);
}
