namespace JepaSharp.Kernels;

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
internal sealed record BlockMemory(NormMemory AttentionNorm, DenseMemory QueryKeyValue, DenseMemory Projection, NormMemory MlpNorm, DenseMemory Expand, DenseMemory Contract);

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
