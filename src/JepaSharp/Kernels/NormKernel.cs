namespace JepaSharp.Kernels;

/// <summary>Layer norm over the rows of a whole matrix of float32, on all threads. Widths are multiples of 16.</summary>
internal sealed unsafe class NormKernel(int width, float epsilon, WorkerThreads threads) : IDisposable
{
    private const int RowsAtOnce = 96;
    private readonly NativeBuffer _sums = new();

    /// <summary>Rows to normalised rows.</summary>
    /// <param name="input">[.., D].</param>
    /// <param name="chosen">Of the input's rows, those to normalise; null for the first <paramref name="rows"/>.</param>
    /// <param name="rows">How many come out.</param>
    /// <param name="norm">Scale and shift; null for neither.</param>
    /// <param name="output">[rows, D]; may be the input's memory where none are chosen.</param>
    public void Forward(float* input, long* chosen, nint rows, NormMemory? norm, float* output) => threads.Run(Pieces(rows), (piece, _) =>
    {
        var first = piece * (nint)RowsAtOnce;
        LayerNormKernel.Forward<Single32>(
            input, chosen, first, (int)Math.Min(RowsAtOnce, rows - first), width, epsilon, norm, (byte*)(output + (first * width)), null);
    });

    /// <summary>From the gradient of the output to that of the input; scale's and shift's gradients are added to.</summary>
    /// <param name="input">As in the forward pass, none chosen.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="norm">Scale and shift.</param>
    /// <param name="outward">Gradient of the output [rows, D].</param>
    /// <param name="inward">Gradient of the input [rows, D], overwritten.</param>
    public void Backward(float* input, nint rows, NormMemory norm, float* outward, float* inward)
    {
        var pieces = Pieces(rows);
        var sums = _sums.TakeFloats((nint)pieces * 2 * width);
        threads.Run(pieces, (piece, _) =>
        {
            var (first, end) = (piece * (nint)RowsAtOnce, Math.Min(rows, (piece + 1) * (nint)RowsAtOnce));
            var own = sums + ((nint)piece * 2 * width);
            new Span<float>(own, 2 * width).Clear();
            new Span<float>(inward + (first * width), (int)(end - first) * width).Clear();
            for (var r = first; r < end; r++)
            {
                var row = input + (r * width);
                var (mean, inverse) = LayerNormKernel.Statistics(row, width, epsilon);
                LayerNormKernel.Backward(row, width, mean, inverse, norm.Scale.Values, outward + (r * width), inward + (r * width), own, own + width);
            }
        });

        // In the pieces' order, whoever did them.
        for (var piece = 0; piece < pieces; piece++)
        {
            VectorFunctions.Add(sums + ((nint)piece * 2 * width), norm.Scale.Gradient, width);
            VectorFunctions.Add(sums + (((nint)piece * 2) + 1) * width, norm.Shift.Gradient, width);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _sums.Dispose();

    private static int Pieces(nint rows) => (int)((rows + RowsAtOnce - 1) / RowsAtOnce);
}
