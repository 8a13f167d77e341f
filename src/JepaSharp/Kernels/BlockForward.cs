using System.Runtime.Intrinsics;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>What a block's forward pass leaves for its backward pass.</summary>
internal sealed unsafe class BlockActivations : IDisposable
{
    private readonly NativeBuffer _statistics = new(), _qkv = new(), _attended = new(), _middle = new(), _before = new();

    /// <summary>Input of the block [tokens, D] float32; memory of somebody else.</summary>
    public float* Input { get; set; }

    /// <summary>Mean and inverse deviation of every token before attention, then of every wanted one before the MLP.</summary>
    public float* Statistics { get; private set; }

    /// <summary>The second part of <see cref="Statistics"/>.</summary>
    public float* MlpStatistics { get; private set; }

    /// <summary>[tokens, 3 D].</summary>
    public byte* Qkv { get; private set; }

    /// <summary>Output of attention before its projection [wanted, D].</summary>
    public byte* Attended { get; private set; }

    /// <summary>Between attention and MLP [wanted, D] float32.</summary>
    public float* Middle { get; private set; }

    /// <summary>Input of GELU [wanted, hidden].</summary>
    public byte* BeforeGelu { get; private set; }

    /// <summary>Makes room.</summary>
    public void Prepare(SequenceLayout layout, int width, int hidden, int size)
    {
        Statistics = _statistics.TakeFloats(2 * (layout.Rows + layout.WantedRows));
        MlpStatistics = Statistics + (2 * layout.Rows);
        Qkv = _qkv.Take(layout.Rows * 3 * width * size);
        Attended = _attended.Take(layout.WantedRows * width * size);
        Middle = _middle.TakeFloats(layout.WantedRows * width);
        BeforeGelu = _before.Take(layout.WantedRows * hidden * size);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in (NativeBuffer[])[_statistics, _qkv, _attended, _middle, _before]) buffer.Dispose();
    }
}

/// <summary>A pre-norm transformer block, forward, for one group of sequences on one thread.</summary>
/// <remarks>
/// <code>m = x + Wₚ attention(norm₁(x)) + bₚ      y = m + W₂ GELU(W₁ norm₂(m) + b₁) + b₂</code>
/// The sum that runs through the blocks is float32; what the products read is rounded to their format. A group's rows go through the whole block
/// while they are in the thread's cache.
/// </remarks>
internal readonly unsafe struct BlockForward<T>(BlockWeights<T> weights, int width, int heads, float epsilon, AttentionBias bias)
    where T : struct, IElement
{
    internal const int RowsAtOnce = 96;
    private readonly int _hidden = weights.Expand.Outputs;

    /// <summary>Takes a group through the block.</summary>
    /// <param name="layout">Sequences, and the tokens whose outputs are wanted.</param>
    /// <param name="group">Which group.</param>
    /// <param name="input">x of all sequences [tokens, D].</param>
    /// <param name="output">y [wanted, D]; may be the input's memory where every token is wanted and nothing is kept.</param>
    /// <param name="kept">Where to leave what backward needs; null where there will be none.</param>
    /// <param name="w">Working memory.</param>
    /// <param name="factors">What branches are multiplied by, where something is kept; null for 1.</param>
    /// <param name="block">Which block it is.</param>
    public void Run(
        SequenceLayout layout, int group, float* input, float* output, BlockActivations? kept, Scratch w, BranchFactors? factors = null,
        int block = 0)
    {
        var (first, end) = layout.Group(group);
        var (row, wantedRow) = ((nint)first * layout.Tokens, layout.FirstWanted(first));
        var (rows, wanted) = ((end - first) * layout.Tokens, (int)(layout.FirstWanted(end) - layout.FirstWanted(first)));
        var x = input + (row * width);
        var y = output + (wantedRow * width);
        var middle = kept is null ? y : kept.Middle + (wantedRow * width);
        var qkv = kept is null ? w.Take((nint)rows * 3 * width * T.Size) : kept.Qkv + (row * 3 * width * T.Size);
        var attended = kept is null ? w.Take((nint)wanted * width * T.Size) : kept.Attended + (wantedRow * width * T.Size);
        var normed = w.Take((nint)Math.Max(rows, RowsAtOnce) * width * T.Size);
        var tile = w.TakeFloats((nint)Math.Max(rows, RowsAtOnce) * TileProduct.Columns);

        // Attention.
        Norm(x, rows, weights.Memory.AttentionNorm, normed, kept is null ? null : kept.Statistics + (2 * row));
        Products.Multiply<T, StoreWithBias<T>>(
            normed, (nint)width * T.Size, rows, weights.QueryKeyValue.Forward, weights.QueryKeyValue.ForwardWords, 3 * width, tile,
            new StoreWithBias<T>(qkv, (nint)3 * width * T.Size, weights.Memory.QueryKeyValue.Bias.Values), w);
        var attention = new AttentionKernel<T>(width, heads, bias);
        fixed (int* all = layout.Wanted)
        {
            for (var s = first; s < end; s++)
            {
                var (from, count) = (layout.FirstWanted(s), (int)(layout.FirstWanted(s + 1) - layout.FirstWanted(s)));
                var queries = all == null ? null : all + from;
                attention.Forward(
                    qkv + ((nint)(s - first) * layout.Tokens * 3 * width * T.Size), layout.Tokens, queries, count,
                    attended + ((from - wantedRow) * width * T.Size), w);
                if (queries != null) Gather(x + ((nint)(s - first) * layout.Tokens * width), queries, count, middle + ((from - wantedRow) * width));
            }
        }

        Products.Multiply<T, AddBias>(
            attended, (nint)width * T.Size, wanted, weights.Projection.Forward, weights.Projection.ForwardWords, width, tile,
            new AddBias(middle, layout.Wanted is null ? x : middle, width, weights.Memory.Projection.Bias.Values), w);
        factors?.Apply(layout, (first, end), 2 * block, new BranchFactors.RowsBefore(x, all: true, first, width), middle, width);

        // MLP, some rows at a time: its hidden layer is wide.
        var hidden = w.Take((nint)RowsAtOnce * _hidden * T.Size);
        for (var r = 0; r < wanted; r += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, wanted - r);
            var from = middle + ((nint)r * width);
            Norm(from, count, weights.Memory.MlpNorm, normed, kept is null ? null : kept.MlpStatistics + (2 * (wantedRow + r)));
            Products.Multiply<T, ApplyGelu<T>>(
                normed, (nint)width * T.Size, count, weights.Expand.Forward, weights.Expand.ForwardWords, _hidden, tile,
                new ApplyGelu<T>(hidden, kept is null ? null : kept.BeforeGelu + ((wantedRow + r) * _hidden * T.Size), (nint)_hidden * T.Size,
                    weights.Memory.Expand.Bias.Values), w);
            Products.Multiply<T, AddBias>(
                hidden, (nint)_hidden * T.Size, count, weights.Contract.Forward, weights.Contract.ForwardWords, width, tile,
                new AddBias(y + ((nint)r * width), from, width, weights.Memory.Contract.Bias.Values), w);
        }

        factors?.Apply(layout, (first, end), (2 * block) + 1, new BranchFactors.RowsBefore(middle, all: false, first, width), y, width);
    }

    private void Norm(float* rows, int count, NormMemory norm, byte* target, float* statistics) =>
        LayerNormKernel.Forward<T>(rows, null, 0, count, width, epsilon, norm, target, statistics);

    private void Gather(float* from, int* chosen, int count, float* to)
    {
        for (var r = 0; r < count; r++)
        {
            for (var i = 0; i < width; i += 16) Vector512.Load(from + ((nint)chosen[r] * width) + i).Store(to + ((nint)r * width) + i);
        }
    }
}
