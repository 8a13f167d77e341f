using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>
/// A network's transformer blocks, one after the other: on the CPU kernels where they are hung on, on libtorch's operators elsewhere.
/// </summary>
/// <remarks>
/// Both ways give the same numbers to rounding; a test holds them to it. A network of your own that runs its tokens through a field of this type
/// is served by the kernels like ours; the field's name begins the blocks' names: <c>blocks.0.norm1.weight</c>.
/// </remarks>
public sealed class BlockStack : ModuleList<TransformerBlock>
{
    /// <summary>Builds blocks whose weights are not yet set: see <see cref="Initialization"/>.</summary>
    /// <param name="depth">Number of blocks.</param>
    /// <param name="width">D.</param>
    /// <param name="heads">A: attention heads, each D/A wide.</param>
    /// <param name="hidden">Width of the hidden layer of each MLP.</param>
    /// <param name="device">Where the weights live; the meta device for shapes alone. Null: the CPU.</param>
    public BlockStack(int depth, int width, int heads, int hidden, Device? device = null)
        : base([.. Enumerable.Range(0, depth).Select(i => new TransformerBlock($"{i}", width, heads, hidden, device))])
    {
        (Width, Heads, Hidden) = (width, heads, hidden);
        RegisterComponents(); // so that it is whole without a network around it too
    }

    /// <summary>D.</summary>
    public int Width { get; }

    /// <summary>A: attention heads.</summary>
    public int Heads { get; }

    /// <summary>Width of the hidden layer of each MLP.</summary>
    public int Hidden { get; }

    /// <summary>What takes the blocks' place where it can; hung on from outside.</summary>
    internal AcceleratedBlocks? Kernel { get; set; }

    /// <summary>What leaves branches out in training; null for nothing.</summary>
    internal StochasticDepth? Depth { get; set; }

    /// <summary>[S, N, D] -> [S, N, D].</summary>
    public Tensor Forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        if (Serves(tokens)) return Kernel!.Forward(tokens).MoveToOuterDisposeScope();
        return Forward(tokens, 0, Count).MoveToOuterDisposeScope();
    }

    /// <summary>Of the outputs, chosen tokens alone: what nobody reads is not computed. [S, N, D] -> [chosen, D].</summary>
    /// <param name="tokens">[S, N, D].</param>
    /// <param name="chosen">For each sequence the tokens whose outputs are wanted, ascending.</param>
    public Tensor Forward(Tensor tokens, IReadOnlyList<int[]> chosen)
    {
        using var scope = NewDisposeScope();
        if (Serves(tokens)) return Kernel!.Forward(tokens, chosen).MoveToOuterDisposeScope();
        var rows = chosen.SelectMany((set, s) => set.Select(t => (s * tokens.shape[1]) + t)).ToArray();
        return Forward(tokens).flatten(0, 1).index_select(0, DeviceCopies.Upload(rows, tokens.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Blocks <paramref name="first"/> to <paramref name="end"/> - 1. [S, N, D] -> [S, N, D].</summary>
    public Tensor Forward(Tensor tokens, int first, int end)
    {
        using var scope = NewDisposeScope();
        if (Kernel is not null && !is_grad_enabled()) return Kernel.Infer(tokens, first, end).MoveToOuterDisposeScope();
        var factors = LeavesOut ? Depth!.Draw(Count, (int)tokens.shape[0], tokens.device) : null;
        for (var i = first; i < end; i++)
            tokens = factors is null ? this[i].forward(tokens) : this[i].Forward(tokens, factors.select(0, i));
        return tokens.MoveToOuterDisposeScope();
    }

    private bool LeavesOut => Depth is not null && is_grad_enabled();

    /// <summary>The kernels leave nothing out.</summary>
    private bool Serves(Tensor tokens) => Kernel is not null && !LeavesOut && Kernel.CanRun(tokens);
}
