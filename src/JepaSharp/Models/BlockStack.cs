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
    /// <param name="parts">What each block has beside the usual, or lacks; null for the usual.</param>
    public BlockStack(int depth, int width, int heads, int hidden, Device? device = null, BlockParts? parts = null)
        : base([.. Enumerable.Range(0, depth).Select(i => new TransformerBlock($"{i}", width, heads, hidden, device, parts))])
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

    /// <summary>What tells attention where tokens lie to one another, in every block; null for nothing. Owned by the network around.</summary>
    internal RelativePositionBias? Relative { get; set; }

    /// <summary>What leaves branches out in training; null for nothing.</summary>
    internal StochasticDepth? Depth { get; set; }

    /// <summary>[S, N, D] -> [S, N, D].</summary>
    /// <param name="tokens">[S, N, D].</param>
    /// <param name="bias">Added to the scores of attention, float32 [A, N, N]; null for the stack's own, where it has any.</param>
    public Tensor Forward(Tensor tokens, Tensor? bias = null)
    {
        using var scope = NewDisposeScope();
        if (Serves(tokens, bias)) return Kernel!.Forward(tokens, null, Drawn(tokens)).MoveToOuterDisposeScope();
        return Forward(tokens, 0, Count, bias).MoveToOuterDisposeScope();
    }

    /// <summary>Of the outputs, chosen tokens alone: what nobody reads is not computed. [S, N, D] -> [chosen, D].</summary>
    /// <param name="tokens">[S, N, D].</param>
    /// <param name="chosen">For each sequence the tokens whose outputs are wanted, ascending.</param>
    /// <param name="bias">As in <see cref="Forward(Tensor, Tensor?)"/>.</param>
    public Tensor Forward(Tensor tokens, IReadOnlyList<int[]> chosen, Tensor? bias = null)
    {
        using var scope = NewDisposeScope();
        if (Serves(tokens, bias)) return Kernel!.Forward(tokens, chosen, Drawn(tokens)).MoveToOuterDisposeScope();
        var rows = chosen.SelectMany((set, s) => set.Select(t => (s * tokens.shape[1]) + t)).ToArray();
        return Forward(tokens, bias).flatten(0, 1).index_select(0, DeviceCopies.Upload(rows, tokens.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Blocks <paramref name="first"/> to <paramref name="end"/> - 1. [S, N, D] -> [S, N, D].</summary>
    public Tensor Forward(Tensor tokens, int first, int end, Tensor? bias = null)
    {
        using var scope = NewDisposeScope();
        if (!is_grad_enabled() && Serves(tokens, bias)) return Kernel!.Infer(tokens, first, end).MoveToOuterDisposeScope();
        bias ??= Relative?.Bias();
        var factors = LeavesOut ? Depth!.Draw(Count, (int)tokens.shape[0], tokens.device) : null;
        for (var i = first; i < end; i++) tokens = this[i].Through(tokens, bias, factors?.select(0, i));
        return tokens.MoveToOuterDisposeScope();
    }

    /// <summary>What the MLPs of some blocks add, each [S, N, D], in the blocks' order.</summary>
    /// <param name="tokens">[S, N, D].</param>
    /// <param name="chosen">Blocks, from 0, ascending.</param>
    /// <param name="bias">As in <see cref="Forward(Tensor, Tensor?)"/>.</param>
    internal IReadOnlyList<Tensor> MlpBranches(Tensor tokens, IReadOnlyList<int> chosen, Tensor? bias = null)
    {
        using var scope = NewDisposeScope();
        bias ??= Relative?.Bias();
        var branches = new List<Tensor>();
        for (var i = 0; i <= chosen[^1]; i++)
        {
            var attended = tokens.Add(this[i].AttentionBranch(tokens, bias));
            var branch = this[i].MlpBranch(attended);
            if (chosen.Contains(i)) branches.Add(branch.MoveToOuterDisposeScope());
            tokens = attended.Add(branch);
        }

        return branches;
    }

    private bool LeavesOut => Depth is not null && is_grad_enabled();

    private float[]? Drawn(Tensor tokens) => LeavesOut ? Depth!.Draw(Count, (int)tokens.shape[0]) : null;

    /// <summary>The kernels read the stack's own bias, and leave something out where they are trained.</summary>
    private bool Serves(Tensor tokens, Tensor? bias) =>
        Kernel is not null && bias is null && Kernel.CanRun(tokens) && (Kernel.IsTrained || !LeavesOut);
}
