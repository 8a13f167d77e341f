using System.Runtime.Intrinsics;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>Numbers that are added to the scores of attention, the same for every sequence and block: rows of a table, by query and key.</summary>
/// <param name="scores">What is added, over the scores' scale: float32 [A, N, padded]. Null: nothing.</param>
/// <param name="rows">Row of the table for each query and key, [N, N].</param>
/// <param name="gradient">Gradient of the table [R, A], to be added to; null where none is wanted.</param>
/// <param name="tokens">N.</param>
/// <param name="tableRows">R.</param>
/// <param name="heads">A.</param>
internal readonly unsafe struct AttentionBias(float* scores, int* rows, float* gradient, int tokens, int tableRows, int heads)
{
    private readonly int _padded = PaddedOf(tokens);

    /// <summary>Whether anything is added.</summary>
    public bool IsThere => scores != null;

    /// <summary>Numbers in a gradient of the table; 0 where there is none.</summary>
    public int TableNumbers => scores == null ? 0 : tableRows * heads;

    /// <summary>How wide a row of scores is.</summary>
    public static int PaddedOf(int tokens) => Packing.Panels(tokens) * TileProduct.Columns;

    /// <summary>row += what is added to a query's scores in a head.</summary>
    public void Add(float* row, int head, int query)
    {
        var from = scores + ((((nint)head * tokens) + query) * _padded);
        for (var i = 0; i < _padded; i += 16) (Vector512.Load(row + i) + Vector512.Load(from + i)).Store(row + i);
    }

    /// <summary>Adds the gradients of a query's scores in a head to those of the table's rows.</summary>
    /// <param name="scoreGradients">[padded].</param>
    /// <param name="inverseScale">1 over the scores' scale, which the gradients hold.</param>
    /// <param name="head">Which head.</param>
    /// <param name="query">Which query.</param>
    /// <param name="table">[R, A].</param>
    public void AddGradient(float* scoreGradients, float inverseScale, int head, int query, float* table)
    {
        var places = rows + ((nint)query * tokens);
        for (var key = 0; key < tokens; key++) table[((nint)places[key] * heads) + head] += scoreGradients[key] * inverseScale;
    }

    /// <summary>Adds the tables' gradients of several groups, one after the other, to the parameter's.</summary>
    /// <param name="groups">[groups, R A].</param>
    /// <param name="count">How many.</param>
    public void Collect(float* groups, int count)
    {
        if (gradient == null) return;
        for (var g = 0; g < count; g++)
        {
            for (var i = 0; i < TableNumbers; i++) gradient[i] += groups[((nint)g * TableNumbers) + i];
        }
    }
}
