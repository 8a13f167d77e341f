using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>A layer's weight matrix [out, in] in panels: for y = x Wᵀ, and for x' = y' W.</summary>
/// <remarks>Where the panels lie is its owner's business: layers whose turns never overlap may share a place.</remarks>
/// <param name="source">float32 [out, in], read whenever it is packed.</param>
/// <param name="outputs">Any; padded with zeros to a multiple of 16.</param>
/// <param name="inputs">Any; padded with zeros to a multiple of 16.</param>
internal sealed unsafe class PackedWeight<T>(float* source, int outputs, int inputs)
    where T : struct, IElement
{
    /// <summary>Panels with a column for each output.</summary>
    public byte* Forward { get; set; }

    /// <summary>Panels with a column for each input.</summary>
    public byte* Backward { get; set; }

    /// <summary>Columns of y.</summary>
    public int Outputs => outputs;

    /// <summary>Columns of x and zeros, to whole vectors.</summary>
    public int PaddedInputs => (inputs + 15) & ~15;

    /// <summary>Columns of y and zeros, to whole vectors.</summary>
    public int PaddedOutputs => (outputs + 15) & ~15;

    /// <summary>Words along the inputs.</summary>
    public int ForwardWords => Packing.Words<T>(PaddedInputs);

    /// <summary>Words along the outputs.</summary>
    public int BackwardWords => Packing.Words<T>(outputs);

    /// <summary>Bytes of the panels for y = x Wᵀ.</summary>
    public nint ForwardBytes => Packing.Bytes(outputs, ForwardWords);

    /// <summary>Bytes of the panels for x' = y' W.</summary>
    public nint BackwardBytes => Packing.Bytes(PaddedInputs, BackwardWords);

    /// <summary>Pieces that packing may be shared out in: 32 outputs each.</summary>
    public int Pieces => Packing.Panels(outputs);

    /// <summary>Packs the weight as it is now, outputs 32 <paramref name="piece"/> and on.</summary>
    public void Pack(int piece, bool forward, bool backward, Scratch scratch)
    {
        // Where activations are widened for the products, weights need not be rounded first.
        if (IElement.IsWidened<T>()) Pack<Single32>(piece, forward, backward, scratch);
        else Pack<T>(piece, forward, backward, scratch);
    }

    private void Pack<TRow>(int piece, bool forward, bool backward, Scratch scratch)
        where TRow : struct, IElement
    {
        var first = piece * TileProduct.Columns;
        var rows = Math.Min(TileProduct.Columns, outputs - first);
        var from = source + ((nint)first * inputs);
        var stride = (nint)PaddedInputs * TRow.Size;
        var numbers = scratch.Take(rows * stride);
        for (var r = 0; r < rows; r++) RowFormat.Convert<TRow>(from + ((nint)r * inputs), inputs, numbers + (r * stride));
        if (forward)
            Packing.Transposed<TRow>(numbers, stride, rows, ForwardWords, Forward + ((nint)piece * ForwardWords * TileProduct.PanelStep));
        if (backward)
        {
            var to = Backward + ((nint)Packing.Words<TRow>(first) * TileProduct.PanelStep);
            Packing.Rows<TRow>(numbers, stride, rows, PaddedInputs, to, BackwardWords);
        }
    }
}

/// <summary>Where a parameter and its gradient lie, float32; the gradient is null for a frozen one.</summary>
internal readonly unsafe struct ParameterMemory(float* values, float* gradient)
{
    public readonly float* Values = values;
    public readonly float* Gradient = gradient;
}

/// <summary>An affine layer's parameters. Weight [out, in].</summary>
internal sealed record DenseMemory(ParameterMemory Weight, ParameterMemory Bias, int Outputs, int Inputs);

/// <summary>A layer norm's parameters.</summary>
internal sealed record NormMemory(ParameterMemory Scale, ParameterMemory Shift);

/// <summary>A transformer block's parameters.</summary>
internal sealed record BlockMemory(
    NormMemory AttentionNorm, DenseMemory QueryKeyValue, DenseMemory Projection, NormMemory MlpNorm, DenseMemory Expand, DenseMemory Contract);

/// <summary>A transformer block's parameters with the matrices in panels.</summary>
internal sealed unsafe class BlockWeights<T>(BlockMemory memory)
    where T : struct, IElement
{
    public BlockMemory Memory => memory;

    public PackedWeight<T> QueryKeyValue { get; } = Of(memory.QueryKeyValue);

    public PackedWeight<T> Projection { get; } = Of(memory.Projection);

    public PackedWeight<T> Expand { get; } = Of(memory.Expand);

    public PackedWeight<T> Contract { get; } = Of(memory.Contract);

    public IReadOnlyList<PackedWeight<T>> All => [QueryKeyValue, Projection, Expand, Contract];

    private static PackedWeight<T> Of(DenseMemory dense) => new(dense.Weight.Values, dense.Outputs, dense.Inputs);
}
