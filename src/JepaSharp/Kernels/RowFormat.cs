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
        for (; i + 16 <= count; i += 16) T.Store(to + ((nint)i * T.Size), Vector512.Load(from + i));
        if (i == count) return;
        var rest = stackalloc float[16];
        for (var j = 0; j < 16; j++) rest[j] = i + j < count ? from[i + j] : 0;
        T.Store(to + ((nint)i * T.Size), Vector512.Load(rest));
    }
}
