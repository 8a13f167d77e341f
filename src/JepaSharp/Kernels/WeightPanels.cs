namespace JepaSharp.Kernels;

/// <summary>Where the panels of a stack's weights lie, and when they are packed.</summary>
/// <remarks>
/// Packed once and kept, they cost memory; in training every weight changes every step and is packed anew anyway, so that one block's
/// place suffices for all: a block is packed just before its turn.
/// </remarks>
internal sealed unsafe class WeightPanels<T> : IDisposable
    where T : struct, IElement
{
    private readonly IReadOnlyList<BlockWeights<T>> _blocks;
    private readonly WorkerThreads _threads;
    private readonly bool _trained;
    private readonly bool _kept;
    private readonly NativeBuffer _forward = new(), _backward = new();

    /// <param name="blocks">Blocks of one shape.</param>
    /// <param name="trained">Whether gradients are wanted.</param>
    /// <param name="kept">A place for every block; else one that all networks share.</param>
    /// <param name="threads">Who packs.</param>
    public WeightPanels(IReadOnlyList<BlockWeights<T>> blocks, bool trained, bool kept, WorkerThreads threads) =>
        (_blocks, _threads, _trained, _kept) = (blocks, threads, trained, kept);

    private nint ForwardBytes => (nint)_blocks[0].All.Sum(w => (long)w.ForwardBytes);

    private nint BackwardBytes => (nint)_blocks[0].All.Sum(w => (long)w.BackwardBytes);

    /// <summary>The weights have changed.</summary>
    public void Refresh()
    {
        if (!_kept) return;
        byte* forward = _forward.Take(_blocks.Count * ForwardBytes), backward = _trained ? _backward.Take(_blocks.Count * BackwardBytes) : null;
        for (var b = 0; b < _blocks.Count; b++)
        {
            PlaceForward(_blocks[b], forward + (b * ForwardBytes));
            if (_trained) PlaceBackward(_blocks[b], backward + (b * BackwardBytes));
            Pack(_blocks[b], forward: true, backward: _trained);
        }
    }

    /// <summary>Before a block's forward pass.</summary>
    public void BeforeForward(int block)
    {
        if (_kept) return;
        PlaceForward(_blocks[block], _threads.Turn.Weights.Take(ForwardBytes));
        Pack(_blocks[block], forward: true, backward: false);
    }

    /// <summary>Before a block's backward pass; its forward pass is then no longer ready.</summary>
    public void BeforeBackward(int block)
    {
        if (_kept) return;
        PlaceBackward(_blocks[block], _threads.Turn.Weights.Take(BackwardBytes));
        Pack(_blocks[block], forward: false, backward: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _forward.Dispose();
        _backward.Dispose();
    }

    private static void PlaceForward(BlockWeights<T> block, byte* at)
    {
        foreach (var weight in block.All)
        {
            weight.Forward = at;
            at += weight.ForwardBytes;
        }
    }

    private static void PlaceBackward(BlockWeights<T> block, byte* at)
    {
        foreach (var weight in block.All)
        {
            weight.Backward = at;
            at += weight.BackwardBytes;
        }
    }

    private void Pack(BlockWeights<T> block, bool forward, bool backward) => _threads.Run(block.All.Sum(w => w.Pieces), (piece, scratch) =>
    {
        foreach (var weight in block.All)
        {
            if (piece < weight.Pieces)
            {
                weight.Pack(piece, forward, backward, scratch);
                return;
            }

            piece -= weight.Pieces;
        }
    });
}
