using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>Adds a bias and keeps the sum as numbers of the product's format.</summary>
internal readonly unsafe struct StoreWithBias<T>(byte* target, nint stride, float* bias) : IPanelEnd
    where T : struct, IElement
{
    public TileEnd? Fuse(int column, ref TileArguments arguments)
    {
        arguments.Result = target + (column * (nint)T.Size);
        arguments.ResultStride = stride;
        arguments.Bias = bias + column;
        return T.Size == 2 ? TileEnd.BiasRound : TileEnd.Bias;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take(float* tile, int rows, int column, int width)
    {
        for (var v = 0; v < width; v += 16)
        {
            var b = Vector512.Load(bias + column + v);
            var to = target + ((column + v) * (nint)T.Size);
            for (var r = 0; r < rows; r++) T.Store(to + (r * stride), Vector512.Load(tile + (r * 32) + v) + b);
        }
    }
}

/// <summary>Keeps the product in its own format.</summary>
internal readonly unsafe struct Store<T>(byte* target, nint stride) : IPanelEnd
    where T : struct, IElement
{
    public TileEnd? Fuse(int column, ref TileArguments arguments)
    {
        arguments.Result = target + (column * (nint)T.Size);
        arguments.ResultStride = stride;
        return T.Size == 2 ? TileEnd.Round : TileEnd.Store;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take(float* tile, int rows, int column, int width)
    {
        for (var v = 0; v < width; v += 16)
        {
            var to = target + ((column + v) * (nint)T.Size);
            for (var r = 0; r < rows; r++) T.Store(to + (r * stride), Vector512.Load(tile + (r * 32) + v));
        }
    }
}

/// <summary>Keeps the product as float32.</summary>
internal readonly unsafe struct StoreFloats(float* target, nint stride) : IPanelEnd
{
    public TileEnd? Fuse(int column, ref TileArguments arguments)
    {
        arguments.Result = target + column;
        arguments.ResultStride = stride * sizeof(float);
        return TileEnd.Store;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take(float* tile, int rows, int column, int width)
    {
        for (var v = 0; v < width; v += 16)
        {
            for (var r = 0; r < rows; r++) Vector512.Load(tile + (r * 32) + v).Store(target + (r * stride) + column + v);
        }
    }
}

/// <summary>Adds a bias, and a residual where there is one, in float32; target and residual may be the same memory.</summary>
internal readonly unsafe struct AddBias(float* target, float* residual, nint stride, float* bias) : IPanelEnd
{
    public TileEnd? Fuse(int column, ref TileArguments arguments)
    {
        arguments.Result = target + column;
        arguments.ResultStride = stride * sizeof(float);
        arguments.Bias = bias + column;
        arguments.Beside = residual + column;
        return residual == null ? TileEnd.Bias : TileEnd.BiasBeside;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take(float* tile, int rows, int column, int width)
    {
        for (var v = 0; v < width; v += 16)
        {
            var b = Vector512.Load(bias + column + v);
            for (var r = 0; r < rows; r++)
            {
                var sum = Vector512.Load(tile + (r * 32) + v) + b;
                if (residual != null) sum += Vector512.Load(residual + (r * stride) + column + v);
                sum.Store(target + (r * stride) + column + v);
            }
        }
    }
}

/// <summary>Adds a bias, and to every row one of a table's, in float32.</summary>
/// <param name="target">First row.</param>
/// <param name="stride">Numbers between rows.</param>
/// <param name="bias">Of every column.</param>
/// <param name="added">The table, as wide as the target.</param>
/// <param name="first">Number of the first row.</param>
internal readonly unsafe struct AddBiasAndRow(float* target, nint stride, float* bias, RowTable added, nint first) : IPanelEnd
{
    public TileEnd? Fuse(int column, ref TileArguments arguments) => null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take(float* tile, int rows, int column, int width)
    {
        for (var r = 0; r < rows; r++)
        {
            var row = added.Of(first + r, stride) + column;
            for (var v = 0; v < width; v += 16)
                (Vector512.Load(tile + (r * 32) + v) + Vector512.Load(bias + column + v) + Vector512.Load(row + v)).Store(
                    target + (r * stride) + column + v);
        }
    }
}

/// <summary>Rows to add to others: of a token's place, for example.</summary>
/// <param name="values">float32 [count, D].</param>
/// <param name="count">Rows.</param>
/// <param name="chosen">Which of them to add to each; null: one after the other, over and over.</param>
internal readonly unsafe struct RowTable(float* values, nint count, long* chosen)
{
    public bool IsEmpty => values == null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* Of(nint row, nint stride) => values + ((chosen == null ? row % count : (nint)chosen[row]) * stride);
}

/// <summary>Adds a bias and applies GELU; keeps the input of GELU too where wanted.</summary>
internal readonly unsafe struct ApplyGelu<T>(byte* target, byte* before, nint stride, float* bias) : IPanelEnd
    where T : struct, IElement
{
    public TileEnd? Fuse(int column, ref TileArguments arguments)
    {
        if (T.Size == 4) return null;
        var offset = column * (nint)T.Size;
        arguments.Result = target + offset;
        arguments.ResultStride = stride;
        arguments.Bias = bias + column;
        arguments.Constants = VectorFunctions.GeluConstants.Values;
        arguments.Beside = before + offset;
        return before == null ? TileEnd.BiasGelu : TileEnd.BiasKeepGelu;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Take(float* tile, int rows, int column, int width)
    {
        for (var v = 0; v < width; v += 16)
        {
            var b = Vector512.Load(bias + column + v);
            var offset = (column + v) * (nint)T.Size;
            for (var r = 0; r < rows; r++)
            {
                var x = Vector512.Load(tile + (r * 32) + v) + b;
                if (before != null)
                {
                    T.Store(before + offset + (r * stride), x);
                    x = T.Load(before + offset + (r * stride)); // what backward will see
                }

                T.Store(target + offset + (r * stride), T.Size == 2 ? VectorFunctions.ShortGelu(x) : VectorFunctions.Gelu(x, out _));
            }
        }
    }
}

/// <summary>
/// Backward through GELU: from the gradient of its output to that of its input, kept row by row and packed; GELU's output, which the next
/// layer's weight gradient needs, is computed again on the way and packed.
/// </summary>
/// <remarks>The packed targets begin at this piece's first word.</remarks>
internal readonly unsafe struct GeluBackward<T>(byte* before, nint stride, byte* gradient, byte* packedGradient, byte* packedOutput,
    nint panelWords) : IPanelEnd
    where T : struct, IElement
{
    public TileEnd? Fuse(int column, ref TileArguments arguments) => null;

    public void Take(float* tile, int rows, int column, int width)
    {
        var panel = column / 32 * panelWords * MachineCode.TileProduct.PanelStep;
        for (var v = 0; v < width; v += 16)
        {
            var offset = (column + v) * (nint)T.Size;
            byte* toGradient = packedGradient + panel + (v * 4), toOutput = packedOutput + panel + (v * 4);
            for (var r = 0; r < rows; r += T.PerWord, toGradient += MachineCode.TileProduct.PanelStep, toOutput += MachineCode.TileProduct.PanelStep)
            {
                var output = One(tile, r, v, offset, out var slope);
                var (nextOutput, nextSlope) = (Vector512<float>.Zero, Vector512<float>.Zero);
                if (T.PerWord == 2 && r + 1 < rows) nextOutput = One(tile, r + 1, v, offset, out nextSlope);
                T.Words(slope, nextSlope).Store((uint*)toGradient);
                T.Words(output, nextOutput).Store((uint*)toOutput);
            }
        }

        if (width < 32)
        {
            for (var r = 0; r < (rows + T.PerWord - 1) / T.PerWord; r++)
            {
                new Span<byte>(packedGradient + panel + (r * (nint)MachineCode.TileProduct.PanelStep) + 64, 64).Clear();
                new Span<byte>(packedOutput + panel + (r * (nint)MachineCode.TileProduct.PanelStep) + 64, 64).Clear();
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<float> One(float* tile, int row, int v, nint offset, out Vector512<float> inward)
    {
        var x = T.Load(before + offset + (row * stride));
        var output = T.Size == 2 ? VectorFunctions.ShortGelu(x, out var slope) : VectorFunctions.Gelu(x, out slope);
        inward = Vector512.Load(tile + (row * 32) + v) * slope;
        T.Store(gradient + offset + (row * stride), inward);
        return output;
    }
}
