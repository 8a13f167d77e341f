using System.Runtime.Intrinsics;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>An affine layer on the CPU: y = x Wᵀ + b over rows of float32, and its backward with gradients added to the parameters'.</summary>
internal interface IDenseKernel : IDisposable
{
    /// <summary>Packs the weight as it is now.</summary>
    void Refresh();

    /// <summary>Rows [rows, in] to [rows, out].</summary>
    /// <param name="input">x.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="output">y.</param>
    /// <param name="added">Rows to add to y; none by default.</param>
    unsafe void Forward(RowSource input, nint rows, float* output, RowTable added = default);

    /// <summary>Adds the weight's and the bias's gradients to theirs; the input's too, where asked for.</summary>
    /// <param name="input">As in the forward pass.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="outward">Gradient of the output [rows, out].</param>
    /// <param name="inward">Gradient of the input [rows, in], overwritten; null where nobody wants it.</param>
    unsafe void Backward(RowSource input, nint rows, float* outward, float* inward);
}

/// <inheritdoc cref="IDenseKernel"/>
internal sealed unsafe class DenseKernel<T>(DenseMemory memory, bool trained, WorkerThreads threads) : IDenseKernel
    where T : struct, IElement
{
    private const int RowsAtOnce = 96;
    private readonly PackedWeight<T> _weight = new(memory.Weight.Values, memory.Outputs, memory.Inputs);
    private readonly NativeBuffer _panels = new(), _forward = new(), _backward = new();

    public void Refresh()
    {
        _weight.Forward = _forward.Take(_weight.ForwardBytes);
        if (trained) _weight.Backward = _backward.Take(_weight.BackwardBytes);
        threads.Run(_weight.Pieces, (piece, scratch) => _weight.Pack(piece, forward: true, backward: trained, scratch));
    }

    public void Forward(RowSource input, nint rows, float* output, RowTable added = default) => threads.Run(Pieces(rows), (piece, scratch) =>
    {
        var (first, count) = Piece(piece, rows);
        var from = Rounded(input, first, count, memory.Inputs, _weight.PaddedInputs, scratch);
        var stride = (nint)_weight.PaddedInputs * T.Size;
        float* tile = scratch.TakeFloats(RowsAtOnce * TileProduct.Columns), to = output + (first * memory.Outputs);
        if (memory.Outputs != _weight.PaddedOutputs)
        {
            var whole = scratch.TakeFloats((nint)count * _weight.PaddedOutputs);
            Products.Multiply<T, StoreFloats>(
                from, stride, count, _weight.Forward, _weight.ForwardWords, _weight.PaddedOutputs, tile,
                new StoreFloats(whole, _weight.PaddedOutputs), scratch);
            AddRows(whole, count, to, added, first);
        }
        else if (added.IsEmpty)
        {
            Products.Multiply<T, AddBias>(
                from, stride, count, _weight.Forward, _weight.ForwardWords, memory.Outputs, tile,
                new AddBias(to, null, memory.Outputs, memory.Bias.Values), scratch);
        }
        else
        {
            Products.Multiply<T, AddBiasAndRow>(
                from, stride, count, _weight.Forward, _weight.ForwardWords, memory.Outputs, tile,
                new AddBiasAndRow(to, memory.Outputs, memory.Bias.Values, added, first), scratch);
        }
    });

    public void Backward(RowSource input, nint rows, float* outward, float* inward)
    {
        var words = (rows + T.PerWord - 1) / T.PerWord;
        var size = Packing.Bytes(memory.Outputs, words);
        var packedOutward = _panels.Take(size + Packing.Bytes(_weight.PaddedInputs, words));
        var packedInput = packedOutward + size;
        var gradients = new ConsecutiveRows(outward, memory.Outputs);
        threads.Run(Pieces(rows), (piece, scratch) =>
        {
            var (first, count) = Piece(piece, rows);
            var word = first / T.PerWord * TileProduct.PanelStep;
            var (outStride, inStride) = ((nint)_weight.PaddedOutputs * T.Size, (nint)_weight.PaddedInputs * T.Size);
            var dy = Rounded(gradients, first, count, memory.Outputs, _weight.PaddedOutputs, scratch);
            Packing.Rows<T>(dy, outStride, count, _weight.PaddedOutputs, packedOutward + word, words);
            var x = Rounded(input, first, count, memory.Inputs, _weight.PaddedInputs, scratch);
            Packing.Rows<T>(x, inStride, count, _weight.PaddedInputs, packedInput + word, words);
            if (inward == null) return;
            var to = inward + (first * memory.Inputs);
            var whole = memory.Inputs == _weight.PaddedInputs ? to : scratch.TakeFloats((nint)count * _weight.PaddedInputs);
            Products.Multiply<T, StoreFloats>(
                dy, outStride, count, _weight.Backward, _weight.BackwardWords, _weight.PaddedInputs,
                scratch.TakeFloats(RowsAtOnce * TileProduct.Columns), new StoreFloats(whole, _weight.PaddedInputs), scratch);
            if (whole != to) CopyRows(whole, _weight.PaddedInputs, to, memory.Inputs, count);
        });
        var gradient = new WeightGradient<T>(
            new Pointer(packedOutward), memory.Outputs, new Pointer(packedInput), memory.Inputs, words, new FloatPointer(memory.Weight.Gradient),
            new FloatPointer(memory.Bias.Gradient));
        threads.Run(gradient.Pieces, gradient.Run);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in (NativeBuffer[])[_panels, _forward, _backward]) buffer.Dispose();
    }

    /// <summary>Rows of whole vectors to rows of as many numbers as there are outputs, with their bias and what is to be added to them.</summary>
    private void AddRows(float* from, int rows, float* to, RowTable added, nint first)
    {
        for (var r = 0; r < rows; r++, from += _weight.PaddedOutputs, to += memory.Outputs)
        {
            var row = added.IsEmpty ? null : added.Of(first + r, memory.Outputs);
            for (var i = 0; i < memory.Outputs; i++) to[i] = from[i] + memory.Bias.Values[i] + (row == null ? 0 : row[i]);
        }
    }

    private static void CopyRows(float* from, int stride, float* to, int width, int rows)
    {
        for (var r = 0; r < rows; r++)
            new ReadOnlySpan<float>(from + ((nint)r * stride), width).CopyTo(new Span<float>(to + ((nint)r * width), width));
    }

    private static int Pieces(nint rows) => (int)((rows + RowsAtOnce - 1) / RowsAtOnce);

    private static (nint First, int Count) Piece(int piece, nint rows) =>
        ((nint)piece * RowsAtOnce, (int)Math.Min(RowsAtOnce, rows - ((nint)piece * RowsAtOnce)));

    private static byte* Rounded(RowSource from, nint first, int rows, int columns, int padded, Scratch scratch)
    {
        var to = scratch.Take((nint)rows * padded * T.Size);
        var work = scratch.TakeFloats(columns);
        for (var r = 0; r < rows; r++) RowFormat.Convert<T>(from.Row(first + r, work), columns, to + ((nint)r * padded * T.Size));
        return to;
    }
}

/// <summary>Rows of float32 into the format that products read.</summary>
internal static unsafe class RowFormat
{
    /// <summary>One row, rounded, and zeros up to a whole vector.</summary>
    public static void Convert<T>(float* from, int count, byte* to)
        where T : struct, IElement
    {
        var i = 0;
        if (count >= 16) T.Round(from, i = count & ~15, to);
        if (i == count) return;
        var rest = stackalloc float[16];
        for (var j = 0; j < 16; j++) rest[j] = i + j < count ? from[i + j] : 0;
        T.Store(to + ((nint)i * T.Size), Vector512.Load(rest));
    }
}
