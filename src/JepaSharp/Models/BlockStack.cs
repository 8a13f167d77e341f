using JepaSharp.Kernels;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>A network's transformer blocks, one after the other: on the CPU kernels where they fit, on the engine's operators elsewhere.</summary>
/// <remarks>Both ways give the same numbers to rounding; a test holds them to it.</remarks>
internal sealed class BlockStack(ModuleList<TransformerBlock> blocks, int width, int heads) : IDisposable
{
    private AcceleratedBlocks? _accelerated;

    /// <summary>Whether the CPU kernels can do this stack on this machine.</summary>
    public static bool CanAccelerate(int width, int heads, ScalarType precision, DeviceType device) =>
        device == DeviceType.CPU && new StackShape(width, heads, 0).Fits && (precision == ScalarType.BFloat16 ? KernelSupport.Pairs : KernelSupport.Singles);

    /// <summary>Uses the CPU kernels from now on.</summary>
    /// <param name="use">What for.</param>
    /// <param name="keepPanels">Keep all weights packed, rather than pack each block before its turn.</param>
    public void Accelerate(KernelUse use, bool keepPanels)
    {
        Release();
        _accelerated = new AcceleratedBlocks([.. blocks], width, heads, use, keepPanels);
    }

    /// <summary>Goes back to the engine's operators.</summary>
    public void Release()
    {
        _accelerated?.Dispose();
        _accelerated = null;
    }

    /// <summary>Brings what is derived from the weights up to date.</summary>
    public void Refresh() => _accelerated?.Refresh();

    /// <summary>[S, N, D] -> [S, N, D].</summary>
    public Tensor Forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        if (_accelerated is not null && _accelerated.CanRun(tokens)) return _accelerated.Forward(tokens).MoveToOuterDisposeScope();
        foreach (var block in blocks) tokens = block.forward(tokens);
        return tokens.MoveToOuterDisposeScope();
    }

    /// <summary>Of the outputs, chosen tokens alone: what nobody reads is not computed. [S, N, D] -> [chosen, D].</summary>
    /// <param name="tokens">[S, N, D].</param>
    /// <param name="chosen">For each sequence the tokens whose outputs are wanted, ascending.</param>
    public Tensor Forward(Tensor tokens, IReadOnlyList<int[]> chosen)
    {
        using var scope = NewDisposeScope();
        if (_accelerated is not null && _accelerated.CanRun(tokens)) return _accelerated.Forward(tokens, chosen).MoveToOuterDisposeScope();
        var rows = chosen.SelectMany((set, s) => set.Select(t => (s * tokens.shape[1]) + t)).ToArray();
        return Forward(tokens).flatten(0, 1).index_select(0, DeviceCopies.Upload(rows, tokens.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Blocks <paramref name="first"/> to <paramref name="end"/> - 1. [S, N, D] -> [S, N, D].</summary>
    public Tensor Forward(Tensor tokens, int first, int end)
    {
        using var scope = NewDisposeScope();
        if (_accelerated is not null && !is_grad_enabled()) return _accelerated.Infer(tokens, first, end).MoveToOuterDisposeScope();
        for (var i = first; i < end; i++) tokens = blocks[i].forward(tokens);
        return tokens.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => Release();
}
