using System.Numerics;
using System.Runtime.InteropServices;

namespace JepaSharp.Runtime.Collectives;

/// <summary>A sum over ranks in their order: rank 0's numbers, plus rank 1's, plus rank 2's, in float32, as one process that takes the same
/// micro-batches one after the other adds them up.</summary>
internal static class OrderedSum
{
    /// <summary>Adds up. [ranks, count] -> [count].</summary>
    /// <param name="rows">Each rank's numbers, one rank after the other.</param>
    /// <param name="sum">Written to.</param>
    public static void Of(ReadOnlySpan<float> rows, Span<float> sum)
    {
        rows[..sum.Length].CopyTo(sum);
        for (var at = sum.Length; at < rows.Length; at += sum.Length) Add(rows.Slice(at, sum.Length), sum);
    }

    private static void Add(ReadOnlySpan<float> more, Span<float> sum)
    {
        var wide = MemoryMarshal.Cast<float, Vector<float>>(sum);
        var wider = MemoryMarshal.Cast<float, Vector<float>>(more);
        for (var i = 0; i < wide.Length; i++) wide[i] += wider[i];
        for (var i = wide.Length * Vector<float>.Count; i < sum.Length; i++) sum[i] += more[i];
    }
}
