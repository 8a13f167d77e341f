using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>A block's tokens in panels, for the gradients of its weights, and its norms' gradients group by group.</summary>
internal sealed unsafe class BlockPanels<T> : IDisposable
    where T : struct, IElement
{
    private readonly NativeBuffer _norms = new(), _tables = new();
    private readonly NativeBuffer _panels;
    private readonly int _width;
    private readonly int _hidden;
    private readonly int _tableNumbers;

    /// <param name="width">D.</param>
    /// <param name="hidden">Width of the MLP's hidden layer.</param>
    /// <param name="tableNumbers">Numbers in a gradient of what is added to the scores.</param>
    /// <param name="panels">Where the panels go.</param>
    public BlockPanels(int width, int hidden, int tableNumbers, NativeBuffer panels) =>
        (_width, _hidden, _tableNumbers, _panels) = (width, hidden, tableNumbers, panels);

    /// <summary>Words before each group: of all tokens, of the wanted.</summary>
    public (nint[] All, nint[] Wanted) Offsets { get; private set; } = ([0], [0]);

    /// <summary>Words of a panel of all tokens.</summary>
    public nint AllWords => Offsets.All[^1];

    /// <summary>Words of a panel of the wanted tokens.</summary>
    public nint WantedWords => Offsets.Wanted[^1];

    /// <summary>Gradient of the block's output, of the sum between attention and MLP, of GELU's input, and of queries, keys and values.</summary>
    public Pointer Outward { get; private set; }

    public Pointer Middle { get; private set; }

    public Pointer Hidden { get; private set; }

    public Pointer Qkv { get; private set; }

    /// <summary>Inputs of the four products: after the first norm, of the projection, after the second norm, of the contraction.</summary>
    public Pointer AttentionInput { get; private set; }

    public Pointer Attended { get; private set; }

    public Pointer MlpInput { get; private set; }

    public Pointer Activated { get; private set; }

    /// <summary>Gradients of the norms by group: [groups, 4 D], scale and shift of the first, then of the second.</summary>
    public float* Norms { get; private set; }

    /// <summary>Gradients of what is added to the scores, by group: [groups, R A]; null where nothing is.</summary>
    public float* Tables { get; private set; }

    /// <summary>Makes room for a layout.</summary>
    public void Prepare(SequenceLayout layout)
    {
        Offsets = layout.WordOffsets(T.PerWord);
        nint Size(int columns, nint words) => Packing.Bytes(columns, words) + 192; // apart, so that equal places do not share cache sets
        nint wide = Size(_width, WantedWords), hidden = Size(_hidden, WantedWords), all = Size(_width, AllWords), qkv = Size(3 * _width, AllWords);
        var at = _panels.Take((4 * wide) + (2 * hidden) + all + qkv);
        Pointer Next(nint bytes)
        {
            var place = new Pointer(at);
            at += bytes;
            return place;
        }

        (Outward, Middle, Attended, MlpInput) = (Next(wide), Next(wide), Next(wide), Next(wide));
        (Hidden, Activated) = (Next(hidden), Next(hidden));
        (AttentionInput, Qkv) = (Next(all), Next(qkv));
        Norms = _norms.TakeFloats((nint)layout.Groups * 4 * _width);
        Tables = _tableNumbers == 0 ? null : _tables.TakeFloats((nint)layout.Groups * _tableNumbers);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _norms.Dispose();
        _tables.Dispose();
    }
}

/// <summary>A pre-norm transformer block, backward, for one group of sequences on one thread; the weights' gradients follow from the panels it
/// leaves.</summary>
/// <remarks>See <see cref="BlockForward{T}"/>. The norms' outputs and GELU's are computed again rather than kept.</remarks>
internal readonly unsafe struct BlockBackward<T>(BlockWeights<T> weights, int width, int heads, AttentionBias bias)
    where T : struct, IElement
{
    private const int RowsAtOnce = BlockForward<T>.RowsAtOnce;
    private readonly int _hidden = weights.Expand.Outputs;

    private nint RowBytes => (nint)width * T.Size;

    /// <summary>Takes a group back through the block.</summary>
    /// <param name="layout">As in the forward pass.</param>
    /// <param name="group">Which group.</param>
    /// <param name="kept">What the forward pass left.</param>
    /// <param name="outward">Gradient of the output [wanted, D]; changed.</param>
    /// <param name="inward">Gradient of the input [tokens, D]; the same memory as <paramref name="outward"/> where every token is wanted.</param>
    /// <param name="panels">Where to leave the panels.</param>
    /// <param name="w">Working memory.</param>
    /// <param name="factors">What branches were multiplied by; null for 1.</param>
    /// <param name="block">Which block it is.</param>
    public void Run(
        SequenceLayout layout, int group, BlockActivations kept, float* outward, float* inward, BlockPanels<T> panels, Scratch w,
        BranchFactors? factors = null, int block = 0)
    {
        var (first, end) = layout.Group(group);
        var (row, wantedRow) = ((nint)first * layout.Tokens, layout.FirstWanted(first));
        var (rows, wanted) = ((end - first) * layout.Tokens, (int)(layout.FirstWanted(end) - layout.FirstWanted(first)));
        var (allWord, wantedWord) = (panels.Offsets.All[group], panels.Offsets.Wanted[group]);
        var dy = outward + (wantedRow * width);
        var dx = inward + (row * width);
        var norms = panels.Norms + ((nint)group * 4 * width);
        new Span<float>(norms, 4 * width).Clear();
        var table = panels.Tables == null ? null : panels.Tables + ((nint)group * bias.TableNumbers);
        if (table != null) new Span<float>(table, bias.TableNumbers).Clear();

        var work = new Work(
            w.TakeFloats((nint)Math.Max(wanted, RowsAtOnce) * TileProduct.Columns), w.Take(Math.Max(wanted, RowsAtOnce) * RowBytes),
            w.TakeFloats((nint)RowsAtOnce * width), w.Take(RowsAtOnce * RowBytes));
        var branch = factors is null ? dy : w.TakeFloats((nint)wanted * width);
        factors?.Scale(layout, (first, end), (2 * block) + 1, dy, branch, width);
        Mlp(kept, branch, dy, wantedRow, wanted, wantedWord, norms + (2 * width), panels, work, w);
        factors?.Scale(layout, (first, end), 2 * block, dy, branch, width);
        var dAttended = Projection(kept, branch, wantedRow, wanted, wantedWord, panels, work, w);
        var dQkv = Attention(layout, first, end, kept, dAttended, row, wantedRow, table, w);
        Packing.Rows<T>(dQkv, 3 * RowBytes, rows, 3 * width, panels.Qkv.At + (allWord * TileProduct.PanelStep), panels.AllWords);
        if (layout.Wanted is not null) Spread(layout, first, end, dy, dx, wantedRow);
        AttentionNorm(kept, dQkv, dx, row, rows, allWord, norms, panels, work, w);
    }

    /// <summary>dy becomes the gradient of the sum between attention and MLP.</summary>
    private void Mlp(
        BlockActivations kept, float* branch, float* dy, nint wantedRow, int wanted, nint word, float* norms, BlockPanels<T> panels, Work work,
        Scratch w)
    {
        var mark = w.Mark;
        var hidden = w.Take((nint)RowsAtOnce * _hidden * T.Size);
        Packing.FloatRows<T>(branch, width, wanted, width, panels.Outward.At + (word * TileProduct.PanelStep), panels.WantedWords);
        T.Round(branch, (nint)wanted * width, work.Rows);
        for (var r = 0; r < wanted; r += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, wanted - r);
            var offset = (word + (r / T.PerWord)) * TileProduct.PanelStep;
            Products.Multiply<T, GeluBackward<T>>(
                work.Rows + (r * RowBytes), RowBytes, count, weights.Contract.Backward, weights.Contract.BackwardWords, _hidden, work.Tile,
                new GeluBackward<T>(
                    kept.BeforeGelu + ((wantedRow + r) * _hidden * T.Size), (nint)_hidden * T.Size, hidden, panels.Hidden.At + offset,
                    panels.Activated.At + offset, panels.WantedWords), w);
            Products.Multiply<T, StoreFloats>(
                hidden, (nint)_hidden * T.Size, count, weights.Expand.Backward, weights.Expand.BackwardWords, width, work.Tile,
                new StoreFloats(work.Gradient, width), w);
            Norm(
                kept.Middle + ((wantedRow + r) * width), kept.MlpStatistics + (2 * (wantedRow + r)), count, weights.Memory.MlpNorm, work.Gradient,
                dy + ((nint)r * width), norms, work.Normed);
            Packing.Rows<T>(work.Normed, RowBytes, count, width, panels.MlpInput.At + offset, panels.WantedWords);
        }

        w.Return(mark);
    }

    private byte* Projection(
        BlockActivations kept, float* branch, nint wantedRow, int wanted, nint word, BlockPanels<T> panels, Work work, Scratch w)
    {
        var offset = word * TileProduct.PanelStep;
        Packing.FloatRows<T>(branch, width, wanted, width, panels.Middle.At + offset, panels.WantedWords);
        Packing.Rows<T>(kept.Attended + (wantedRow * RowBytes), RowBytes, wanted, width, panels.Attended.At + offset, panels.WantedWords);
        T.Round(branch, (nint)wanted * width, work.Rows);
        var dAttended = w.Take(wanted * RowBytes);
        Products.Multiply<T, Store<T>>(
            work.Rows, RowBytes, wanted, weights.Projection.Backward, weights.Projection.BackwardWords, width, work.Tile,
            new Store<T>(dAttended, RowBytes), w);
        return dAttended;
    }

    private byte* Attention(
        SequenceLayout layout, int first, int end, BlockActivations kept, byte* dAttended, nint row, nint wantedRow, float* table, Scratch w)
    {
        var attention = new AttentionKernel<T>(width, heads, bias);
        var dQkv = w.Take((end - first) * (nint)layout.Tokens * 3 * RowBytes);
        fixed (int* all = layout.Wanted)
        {
            for (var s = first; s < end; s++)
            {
                var (from, count) = (layout.FirstWanted(s), (int)(layout.FirstWanted(s + 1) - layout.FirstWanted(s)));
                var sequence = (nint)(s - first) * layout.Tokens * 3 * RowBytes;
                attention.Backward(
                    kept.Qkv + (row * 3 * RowBytes) + sequence, layout.Tokens, all == null ? null : all + from, count,
                    dAttended + ((from - wantedRow) * RowBytes), dQkv + sequence, table, w);
            }
        }

        return dQkv;
    }

    private void AttentionNorm(
        BlockActivations kept, byte* dQkv, float* dx, nint row, int rows, nint word, float* norms, BlockPanels<T> panels, Work work,
        Scratch w)
    {
        for (var r = 0; r < rows; r += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, rows - r);
            Products.Multiply<T, StoreFloats>(
                dQkv + (r * 3 * RowBytes), 3 * RowBytes, count, weights.QueryKeyValue.Backward, weights.QueryKeyValue.BackwardWords, width, work.Tile,
                new StoreFloats(work.Gradient, width), w);
            Norm(
                kept.Input + ((row + r) * width), kept.Statistics + (2 * (row + r)), count, weights.Memory.AttentionNorm, work.Gradient,
                dx + ((nint)r * width), norms, work.Normed);
            Packing.Rows<T>(
                work.Normed, RowBytes, count, width, panels.AttentionInput.At + ((word + (r / T.PerWord)) * TileProduct.PanelStep), panels.AllWords);
        }
    }

    private void Norm(float* input, float* statistics, int count, NormMemory norm, float* outward, float* inward, float* gradients, byte* normed)
    {
        for (var r = 0; r < count; r++)
        {
            var row = input + ((nint)r * width);
            var (mean, inverse) = (statistics[2 * r], statistics[(2 * r) + 1]);
            LayerNormKernel.Backward(
                row, width, mean, inverse, norm.Scale.Values, outward + ((nint)r * width), inward + ((nint)r * width), gradients, gradients + width);
            T.Norm(row, width, mean, inverse, norm.Scale.Values, norm.Shift.Values, normed + (r * RowBytes));
        }
    }

    /// <summary>Wanted tokens' gradients to their places, zero elsewhere.</summary>
    private void Spread(SequenceLayout layout, int first, int end, float* dy, float* dx, nint wantedRow)
    {
        new Span<float>(dx, (end - first) * layout.Tokens * width).Clear();
        for (var s = first; s < end; s++)
        {
            for (var i = layout.FirstWanted(s); i < layout.FirstWanted(s + 1); i++)
            {
                var to = dx + ((((nint)(s - first) * layout.Tokens) + layout.Wanted![i]) * width);
                Buffer.MemoryCopy(dy + ((i - wantedRow) * width), to, width * sizeof(float), width * sizeof(float));
            }
        }
    }

    /// <summary>Working memory: a column of tiles, rows in the products' format, a gradient before a norm, a norm's output.</summary>
    private readonly struct Work(float* tile, byte* rows, float* gradient, byte* normed)
    {
        public readonly float* Tile = tile;
        public readonly byte* Rows = rows;
        public readonly float* Gradient = gradient;
        public readonly byte* Normed = normed;
    }
}
