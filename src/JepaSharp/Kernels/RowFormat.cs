using System.Runtime.Intrinsics;

namespace JepaSharp.Kernels;

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
