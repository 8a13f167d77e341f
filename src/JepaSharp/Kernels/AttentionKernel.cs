using System.Runtime.Intrinsics;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>Multi-head attention of one sequence, softmax(q kᵀ / √d) v, forward and backward, on one thread.</summary>
/// <remarks>
/// Queries are taken in blocks of <see cref="QueryBlock"/>, so that scores need no memory beyond a thread's cache; the probabilities are not kept but
/// computed again in the backward pass. Queries may be fewer than keys: where only some patches' outputs are wanted.
/// </remarks>
/// <typeparam name="T">Format of what the products read.</typeparam>
internal readonly unsafe struct AttentionKernel<T>(int width, int heads)
    where T : struct, IElement
{
    private const int QueryBlock = 96;
    private readonly int _head = width / heads;
    private readonly float _scale = (float)(1 / Math.Sqrt(width / heads));

    private int Stride => 3 * width * T.Size;

    /// <summary>Attends with every head.</summary>
    /// <param name="qkv">Queries, keys, values of every token [N, 3 D].</param>
    /// <param name="tokens">N.</param>
    /// <param name="queries">Tokens whose output is wanted, ascending; null for all.</param>
    /// <param name="queryCount">How many.</param>
    /// <param name="output">[queries, D].</param>
    /// <param name="scratch">Working memory.</param>
    public void Forward(byte* qkv, int tokens, int* queries, int queryCount, byte* output, Scratch scratch)
    {
        var mark = scratch.Mark;
        var padded = Packing.Panels(tokens) * TileProduct.Columns;
        nint headWords = Packing.Words<T>(_head), tokenWords = Packing.Words<T>(tokens);
        var keys = scratch.Take(Packing.Bytes(tokens, headWords));
        var values = scratch.Take(Packing.Bytes(_head, tokenWords));
        var block = Math.Min(QueryBlock, queryCount);
        var scores = scratch.TakeFloats((nint)block * padded);
        var probabilities = scratch.Take((nint)block * padded * T.Size);
        var tile = scratch.TakeFloats((nint)block * TileProduct.Columns);
        var gathered = queries == null ? null : scratch.Take((nint)block * _head * T.Size);
        for (var h = 0; h < heads; h++)
        {
            byte* q = Part(qkv, h, 0), k = Part(qkv, h, 1), v = Part(qkv, h, 2);
            Packing.Transposed(k, Stride, tokens, (int)headWords, keys);
            Packing.Rows<T>(v, Stride, tokens, _head, values, tokenWords);
            for (var first = 0; first < queryCount; first += QueryBlock)
            {
                var count = Math.Min(QueryBlock, queryCount - first);
                var rows = Queries(q, queries, first, count, gathered, out var stride);
                Products.Multiply<T, StoreFloats>(rows, stride, count, keys, headWords, padded, tile, new StoreFloats(scores, padded));
                SoftmaxKernel.Apply<T>(scores, count, tokens, padded, _scale, probabilities);
                var to = output + (((nint)first * width) + (h * _head)) * T.Size;
                Products.Multiply<T, Store<T>>(probabilities, (nint)padded * T.Size, count, values, tokenWords, _head, tile, new Store<T>(to, (nint)width * T.Size));
            }
        }

        scratch.Return(mark);
    }

    /// <summary>From the gradient of the output to that of queries, keys and values.</summary>
    /// <param name="qkv">As in the forward pass.</param>
    /// <param name="tokens">N.</param>
    /// <param name="queries">As in the forward pass.</param>
    /// <param name="queryCount">How many.</param>
    /// <param name="outward">Gradient of the output [queries, D].</param>
    /// <param name="inward">Gradient of <paramref name="qkv"/> [N, 3 D], overwritten.</param>
    /// <param name="scratch">Working memory.</param>
    public void Backward(byte* qkv, int tokens, int* queries, int queryCount, byte* outward, byte* inward, Scratch scratch)
    {
        var mark = scratch.Mark;
        var padded = Packing.Panels(tokens) * TileProduct.Columns;
        var headPadded = Packing.Panels(_head) * TileProduct.Columns;
        nint headWords = Packing.Words<T>(_head), tokenWords = Packing.Words<T>(tokens);
        var block = Math.Min(QueryBlock, queryCount);
        nint blockWords = Packing.Words<T>(block);
        var keys = scratch.Take(Packing.Bytes(tokens, headWords));
        var values = scratch.Take(Packing.Bytes(tokens, headWords));
        var keyRows = scratch.Take(Packing.Bytes(_head, tokenWords));
        var scores = scratch.TakeFloats((nint)block * padded);
        var gradients = scratch.TakeFloats((nint)block * padded);
        var rowGradients = scratch.Take((nint)block * padded * T.Size);
        var packedScores = scratch.Take(Packing.Bytes(padded, blockWords));
        var packedGradients = scratch.Take(Packing.Bytes(padded, blockWords));
        var packedQueries = scratch.Take(Packing.Bytes(_head, blockWords));
        var packedOutward = scratch.Take(Packing.Bytes(_head, blockWords));
        var keyGradient = scratch.TakeFloats((nint)padded * headPadded);
        var valueGradient = scratch.TakeFloats((nint)padded * headPadded);
        var tile = scratch.TakeFloats((nint)block * TileProduct.Columns);
        var gathered = queries == null ? null : scratch.Take((nint)block * _head * T.Size);
        var queryGradient = queries == null ? null : scratch.Take((nint)block * _head * T.Size);
        for (var h = 0; h < heads; h++)
        {
            byte* q = Part(qkv, h, 0), k = Part(qkv, h, 1), v = Part(qkv, h, 2);
            byte* dq = Part(inward, h, 0), dk = Part(inward, h, 1), dv = Part(inward, h, 2);
            Packing.Transposed(k, Stride, tokens, (int)headWords, keys);
            Packing.Transposed(v, Stride, tokens, (int)headWords, values);
            Packing.Rows<T>(k, Stride, tokens, _head, keyRows, tokenWords);
            if (queries != null) Clear(dq, tokens);
            for (var first = 0; first < queryCount; first += QueryBlock)
            {
                var count = Math.Min(QueryBlock, queryCount - first);
                var rows = Queries(q, queries, first, count, gathered, out var stride);
                var from = outward + (((nint)first * width) + (h * _head)) * T.Size;
                Products.Multiply<T, StoreFloats>(rows, stride, count, keys, headWords, padded, tile, new StoreFloats(scores, padded));
                Products.Multiply<T, StoreFloats>(from, (nint)width * T.Size, count, values, headWords, padded, tile, new StoreFloats(gradients, padded));
                for (var r = 0; r < count; r++)
                {
                    float* p = scores + ((nint)r * padded), g = gradients + ((nint)r * padded);
                    SoftmaxKernel.Apply<T>(p, tokens, padded, _scale);
                    SoftmaxKernel.Backward(p, g, padded, _scale);
                    for (var i = 0; i < padded; i += 16) T.Store(rowGradients + (((nint)r * padded) + i) * T.Size, Vector512.Load(g + i));
                }

                var words = Packing.Words<T>(count);
                Packing.FloatRows<T>(scores, padded, count, padded, packedScores, words);
                Packing.FloatRows<T>(gradients, padded, count, padded, packedGradients, words);
                Packing.Rows<T>(rows, stride, count, _head, packedQueries, words);
                Packing.Rows<T>(from, (nint)width * T.Size, count, _head, packedOutward, words);

                // dq = dS k, dk = dSᵀ q, dv = Pᵀ do
                var target = queries == null ? dq + ((nint)first * Stride) : queryGradient;
                Products.Multiply<T, Store<T>>(
                    rowGradients, (nint)padded * T.Size, count, keyRows, tokenWords, _head, tile, new Store<T>(target, queries == null ? Stride : (nint)_head * T.Size));
                if (queries != null) Scatter(queryGradient, dq, queries, first, count);
                Summed(packedGradients, packedQueries, tokens, words, keyGradient, headPadded, first > 0);
                Summed(packedScores, packedOutward, tokens, words, valueGradient, headPadded, first > 0);
            }

            Keep(keyGradient, headPadded, dk, tokens);
            Keep(valueGradient, headPadded, dv, tokens);
        }

        scratch.Return(mark);
    }

    /// <summary>Where a head's queries begin; its keys lie D numbers further, its values 2 D.</summary>
    private byte* Part(byte* qkv, int head, int part) => qkv + (((part * width) + (head * _head)) * T.Size);

    private byte* Queries(byte* q, int* queries, int first, int count, byte* gathered, out nint stride)
    {
        stride = Stride;
        if (queries == null) return q + (first * stride);
        stride = _head * T.Size;
        for (var r = 0; r < count; r++) Buffer.MemoryCopy(q + ((nint)queries[first + r] * Stride), gathered + (r * stride), stride, stride);
        return gathered;
    }

    private void Scatter(byte* from, byte* q, int* queries, int first, int count)
    {
        var size = _head * T.Size;
        for (var r = 0; r < count; r++) Buffer.MemoryCopy(from + ((nint)r * size), q + ((nint)queries[first + r] * Stride), size, size);
    }

    private void Clear(byte* rows, int count)
    {
        for (var r = 0; r < count; r++) new Span<byte>(rows + ((nint)r * Stride), _head * T.Size).Clear();
    }

    private void Summed(byte* left, byte* right, int rows, nint words, float* result, int stride, bool accumulate)
    {
        for (var row = 0; row < rows; row += TileProduct.Columns)
        {
            var panel = left + (row / TileProduct.Columns * words * TileProduct.PanelStep);
            for (var column = 0; column < _head; column += TileProduct.Columns)
            {
                Products.PanelByPanel<T>(
                    panel, Math.Min(TileProduct.Columns, rows - row), right + (column / TileProduct.Columns * words * TileProduct.PanelStep), words,
                    result + ((nint)row * stride) + column, stride, accumulate);
            }
        }
    }

    private void Keep(float* from, int stride, byte* to, int rows)
    {
        for (var r = 0; r < rows; r++)
        {
            for (var i = 0; i < _head; i += 16) T.Store(to + ((nint)r * Stride) + (i * T.Size), Vector512.Load(from + ((nint)r * stride) + i));
        }
    }
}
