using System.Runtime.Intrinsics;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>Multi-head attention of one sequence, softmax(q kᵀ / √d + b) v, forward and backward, on one thread.</summary>
/// <remarks>
/// Queries are taken in blocks of <see cref="QueryBlock"/>, so that scores need no memory beyond a thread's cache; the probabilities are not kept but
/// computed again in the backward pass. Queries may be fewer than keys: where only some patches' outputs are wanted. Heads that fill no whole vectors
/// (24 or 88 wide) are copied and filled up with zeros, which add nothing to q kᵀ, and nothing but columns that nobody reads to the values.
/// </remarks>
/// <typeparam name="T">Format of what the products read.</typeparam>
internal readonly unsafe struct AttentionKernel<T>(int width, int heads, AttentionBias bias)
    where T : struct, IElement
{
    private const int QueryBlock = 96;
    private readonly int _head = width / heads;
    private readonly int _padded = ((width / heads) + 15) & ~15;
    private readonly float _scale = (float)(1 / Math.Sqrt(width / heads));

    private int Stride => 3 * width * T.Size;

    private bool Fits => _head == _padded;

    private nint HeadBytes => (nint)_padded * T.Size;

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
        nint headWords = Packing.Words<T>(_padded), tokenWords = Packing.Words<T>(tokens);
        var keys = scratch.Take(Packing.Bytes(tokens, headWords));
        var values = scratch.Take(Packing.Bytes(_padded, tokenWords));
        var block = Math.Min(QueryBlock, queryCount);
        var scores = scratch.TakeFloats((nint)block * padded);
        var probabilities = scratch.Take((nint)block * padded * T.Size);
        var tile = scratch.TakeFloats((nint)block * TileProduct.Columns);
        var gathered = queries == null ? null : scratch.Take(block * HeadBytes);
        HeadRows spareQ = Spare(tokens, scratch), spareK = Spare(tokens, scratch), spareV = Spare(tokens, scratch);
        var spareOutput = Spare(block, scratch);
        for (var h = 0; h < heads; h++)
        {
            HeadRows q = Part(qkv, h, 0, tokens, spareQ), k = Part(qkv, h, 1, tokens, spareK), v = Part(qkv, h, 2, tokens, spareV);
            Packing.Transposed<T>(k.At, k.Stride, tokens, (int)headWords, keys);
            Packing.Rows<T>(v.At, v.Stride, tokens, _padded, values, tokenWords);
            for (var first = 0; first < queryCount; first += QueryBlock)
            {
                var count = Math.Min(QueryBlock, queryCount - first);
                var rows = Queries(q, queries, first, count, gathered);
                Products.Multiply<T, StoreFloats>(
                    rows.At, rows.Stride, count, keys, headWords, padded, tile, new StoreFloats(scores, padded), scratch);
                for (var r = 0; bias.IsThere && r < count; r++) bias.Add(scores + ((nint)r * padded), h, QueryOf(queries, first + r));
                SoftmaxKernel.Apply<T>(scores, count, tokens, padded, _scale, probabilities);
                var outward = Output(output, h, first);
                var to = Fits ? outward : spareOutput;
                Products.Multiply<T, Store<T>>(
                    probabilities, (nint)padded * T.Size, count, values, tokenWords, _padded, tile, new Store<T>(to.At, to.Stride), scratch);
                if (!Fits) CopyHead(to, outward, count);
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
    /// <param name="table">Gradient of the bias's table, added to; null where there is no bias.</param>
    /// <param name="scratch">Working memory.</param>
    public void Backward(byte* qkv, int tokens, int* queries, int queryCount, byte* outward, byte* inward, float* table, Scratch scratch)
    {
        if (queryCount == 0)
        {
            // Nobody asks for anything of this sequence.
            for (var row = 0; row < tokens; row++) new Span<byte>(inward + ((nint)row * Stride), Stride).Clear();
            return;
        }

        var mark = scratch.Mark;
        var padded = Packing.Panels(tokens) * TileProduct.Columns;
        var headPadded = Packing.Panels(_head) * TileProduct.Columns;
        nint headWords = Packing.Words<T>(_padded), tokenWords = Packing.Words<T>(tokens);
        var block = Math.Min(QueryBlock, queryCount);
        nint blockWords = Packing.Words<T>(block);
        var keys = scratch.Take(Packing.Bytes(tokens, headWords));
        var values = scratch.Take(Packing.Bytes(tokens, headWords));
        var keyRows = scratch.Take(Packing.Bytes(_padded, tokenWords));
        var scores = scratch.TakeFloats((nint)block * padded);
        var gradients = scratch.TakeFloats((nint)block * padded);
        var rowGradients = scratch.Take((nint)block * padded * T.Size);
        var packedScores = scratch.Take(Packing.Bytes(padded, blockWords));
        var packedGradients = scratch.Take(Packing.Bytes(padded, blockWords));
        var packedQueries = scratch.Take(Packing.Bytes(_padded, blockWords));
        var packedOutward = scratch.Take(Packing.Bytes(_padded, blockWords));
        var keyGradient = scratch.TakeFloats((nint)padded * headPadded);
        var valueGradient = scratch.TakeFloats((nint)padded * headPadded);
        var tile = scratch.TakeFloats((nint)block * TileProduct.Columns);
        var gathered = queries == null ? null : scratch.Take(block * HeadBytes);
        var queryGradient = queries == null && Fits ? null : scratch.Take(block * HeadBytes);
        HeadRows spareQ = Spare(tokens, scratch), spareK = Spare(tokens, scratch), spareV = Spare(tokens, scratch);
        var spareOutward = Spare(block, scratch);
        for (var h = 0; h < heads; h++)
        {
            HeadRows q = Part(qkv, h, 0, tokens, spareQ), k = Part(qkv, h, 1, tokens, spareK), v = Part(qkv, h, 2, tokens, spareV);
            HeadRows dq = Part(inward, h, 0), dk = Part(inward, h, 1), dv = Part(inward, h, 2);
            Packing.Transposed<T>(k.At, k.Stride, tokens, (int)headWords, keys);
            Packing.Transposed<T>(v.At, v.Stride, tokens, (int)headWords, values);
            Packing.Rows<T>(k.At, k.Stride, tokens, _padded, keyRows, tokenWords);
            if (queries != null) Clear(dq, tokens);
            for (var first = 0; first < queryCount; first += QueryBlock)
            {
                var count = Math.Min(QueryBlock, queryCount - first);
                var rows = Queries(q, queries, first, count, gathered);
                var from = Padded(Output(outward, h, first), count, spareOutward);
                Products.Multiply<T, StoreFloats>(
                    rows.At, rows.Stride, count, keys, headWords, padded, tile, new StoreFloats(scores, padded), scratch);
                Products.Multiply<T, StoreFloats>(
                    from.At, from.Stride, count, values, headWords, padded, tile, new StoreFloats(gradients, padded), scratch);
                for (var r = 0; r < count; r++)
                {
                    float* p = scores + ((nint)r * padded), g = gradients + ((nint)r * padded);
                    if (bias.IsThere) bias.Add(p, h, QueryOf(queries, first + r));
                    SoftmaxKernel.Apply<T>(p, tokens, padded, _scale);
                    SoftmaxKernel.Backward(p, g, padded, _scale);
                    if (bias.IsThere) bias.AddGradient(g, 1 / _scale, h, QueryOf(queries, first + r), table);
                    for (var i = 0; i < padded; i += 16) T.Store(rowGradients + (((nint)r * padded) + i) * T.Size, Vector512.Load(g + i));
                }

                var words = Packing.Words<T>(count);
                Packing.FloatRows<T>(scores, padded, count, padded, packedScores, words);
                Packing.FloatRows<T>(gradients, padded, count, padded, packedGradients, words);
                Packing.Rows<T>(rows.At, rows.Stride, count, _padded, packedQueries, words);
                Packing.Rows<T>(from.At, from.Stride, count, _padded, packedOutward, words);

                // dq = dS k, dk = dSᵀ q, dv = Pᵀ do
                var target = queryGradient == null ? dq.From(first) : new HeadRows(queryGradient, HeadBytes);
                Products.Multiply<T, Store<T>>(
                    rowGradients, (nint)padded * T.Size, count, keyRows, tokenWords, _padded, tile, new Store<T>(target.At, target.Stride), scratch);
                if (queries != null) Scatter(target, dq, queries, first, count);
                else if (!Fits) CopyHead(target, dq.From(first), count);
                Summed(packedGradients, packedQueries, tokens, words, keyGradient, headPadded, first > 0);
                Summed(packedScores, packedOutward, tokens, words, valueGradient, headPadded, first > 0);
            }

            Keep(keyGradient, headPadded, dk, tokens);
            Keep(valueGradient, headPadded, dv, tokens);
        }

        scratch.Return(mark);
    }

    private static int QueryOf(int* queries, int place) => queries == null ? place : queries[place];

    /// <summary>Where a head's queries (keys, values) are; its keys lie D numbers further, its values 2 D.</summary>
    private HeadRows Part(byte* qkv, int head, int part) => new(qkv + (((part * width) + (head * _head)) * T.Size), Stride);

    /// <summary>The same in whole vectors.</summary>
    private HeadRows Part(byte* qkv, int head, int part, int tokens, HeadRows spare) => Padded(Part(qkv, head, part), tokens, spare);

    private HeadRows Output(byte* output, int head, int first) =>
        new(output + (((nint)first * width) + (head * _head)) * T.Size, (nint)width * T.Size);

    /// <summary>Room for heads filled up with zeros; none where they fit.</summary>
    private HeadRows Spare(int rows, Scratch scratch)
    {
        if (Fits) return default;
        var at = scratch.Take(rows * HeadBytes);
        new Span<byte>(at, (int)(rows * HeadBytes)).Clear();
        return new HeadRows(at, HeadBytes);
    }

    private HeadRows Padded(HeadRows head, int rows, HeadRows spare)
    {
        if (Fits) return head;
        CopyHead(head, spare, rows);
        return spare;
    }

    private void CopyHead(HeadRows from, HeadRows to, int rows)
    {
        var size = _head * T.Size;
        for (var r = 0; r < rows; r++) Buffer.MemoryCopy(from.From(r).At, to.From(r).At, size, size);
    }

    private HeadRows Queries(HeadRows q, int* queries, int first, int count, byte* gathered)
    {
        if (queries == null) return q.From(first);
        for (var r = 0; r < count; r++) Buffer.MemoryCopy(q.From(queries[first + r]).At, gathered + (r * HeadBytes), HeadBytes, HeadBytes);
        return new HeadRows(gathered, HeadBytes);
    }

    private void Scatter(HeadRows from, HeadRows q, int* queries, int first, int count)
    {
        var size = _head * T.Size;
        for (var r = 0; r < count; r++) Buffer.MemoryCopy(from.From(r).At, q.From(queries[first + r]).At, size, size);
    }

    private void Clear(HeadRows rows, int count)
    {
        for (var r = 0; r < count; r++) new Span<byte>(rows.From(r).At, _head * T.Size).Clear();
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

    private void Keep(float* from, int stride, HeadRows to, int rows)
    {
        var whole = _head & ~15;
        var rest = stackalloc byte[64];
        for (var r = 0; r < rows; r++)
        {
            var row = from + ((nint)r * stride);
            var target = to.From(r).At;
            for (var i = 0; i < whole; i += 16) T.Store(target + (i * T.Size), Vector512.Load(row + i));
            if (Fits) continue;
            T.Store(rest, Vector512.Load(row + whole));
            new ReadOnlySpan<byte>(rest, (_head - whole) * T.Size).CopyTo(new Span<byte>(target + (whole * T.Size), (_head - whole) * T.Size));
        }
    }

    /// <summary>A head's part of rows of numbers: where the first is, and bytes from one to the next.</summary>
    private readonly struct HeadRows(byte* at, nint stride)
    {
        public readonly byte* At = at;
        public readonly nint Stride = stride;

        public HeadRows From(int row) => new(At + (row * Stride), Stride);
    }
}
