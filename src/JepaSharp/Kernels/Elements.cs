using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>The number format that activations are kept in and that matrix products read: float32, bfloat16, or the one and the other. Sums are
/// always float32.</summary>
internal unsafe interface IElement
{
    /// <summary>Bytes of one number as it is kept.</summary>
    static abstract int Size { get; }

    /// <summary>Numbers in a 4-byte word of what products read.</summary>
    static abstract int PerWord { get; }

    /// <summary>Whether what is kept has to be widened before a product can read it.</summary>
    static bool IsWidened<T>()
        where T : struct, IElement => T.Size * T.PerWord < sizeof(float);

    /// <summary>The innermost loops for this format.</summary>
    static abstract TileProducts Tiles { get; }

    /// <summary>Reads 16 numbers.</summary>
    static abstract Vector512<float> Load(byte* source);

    /// <summary>Writes 16 numbers, rounded to nearest, ties to even.</summary>
    static abstract void Store(byte* target, Vector512<float> values);

    /// <summary>Writes so many numbers, a multiple of 16, rounded to nearest, ties to even.</summary>
    static abstract void Round(float* from, nint count, byte* to);

    /// <summary>Writes (x - mean) · inverse · scale + shift for every number of a row, rounded to nearest, ties to even.</summary>
    static abstract void Norm(float* row, int width, float mean, float inverse, float* scale, float* shift, byte* target);

    /// <summary>16 words, each of the numbers of one column in <see cref="PerWord"/> neighbouring rows; the second row is ignored where one fills a
    /// word.</summary>
    static abstract Vector512<uint> Words(Vector512<float> row, Vector512<float> next);

    /// <summary>The same from rows that are already in this format.</summary>
    static abstract Vector512<uint> Words(byte* row, byte* next);
}

/// <summary>float32.</summary>
internal readonly unsafe struct Single32 : IElement
{
    public static int Size => 4;

    public static int PerWord => 1;

    public static TileProducts Tiles => TileProducts.Singles;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source) => Vector512.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* target, Vector512<float> values) => values.Store((float*)target);

    public static void Round(float* from, nint count, byte* to) => Buffer.MemoryCopy(from, to, count * sizeof(float), count * sizeof(float));

    public static void Norm(float* row, int width, float mean, float inverse, float* scale, float* shift, byte* target) =>
        LayerNormKernel.Apply<Single32>(row, 0, width, mean, inverse, scale, shift, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Words(Vector512<float> row, Vector512<float> next) => row.AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Words(byte* row, byte* next) => Vector512.Load((uint*)row);
}

/// <summary>bfloat16: the upper half of a float32.</summary>
internal readonly unsafe struct Brain16 : IElement
{
    public static int Size => 2;

    public static int PerWord => 2;

    public static TileProducts Tiles => TileProducts.Pairs;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source) =>
        Vector512.ShiftLeft(SixteenLanes.Widened((ushort*)source), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* target, Vector512<float> values) =>
        SixteenLanes.Narrowed(Vector512.ShiftRightLogical(Rounded(values), 16)).Store((ushort*)target);

    public static void Round(float* from, nint count, byte* to)
    {
        var whole = KernelSupport.Pairs ? count & ~31 : 0;
        if (whole > 0)
        {
            var arguments = new RoundArguments { From = from, To = to, Count = whole };
            RowRoutines.Round(&arguments);
        }

        for (; whole < count; whole += 16) Store(to + (whole * Size), Vector512.Load(from + whole));
    }

    public static void Norm(float* row, int width, float mean, float inverse, float* scale, float* shift, byte* target)
    {
        var whole = KernelSupport.Pairs ? width & ~31 : 0;
        if (whole > 0)
        {
            var arguments =
                new NormArguments { Row = row, Scale = scale, Shift = shift, Target = target, Count = whole, Mean = mean, Inverse = inverse };
            RowRoutines.Norm(&arguments);
        }

        LayerNormKernel.Apply<Brain16>(row, whole, width, mean, inverse, scale, shift, target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Words(Vector512<float> row, Vector512<float> next) =>
        Vector512.ShiftRightLogical(Rounded(row), 16) | (Rounded(next) & Vector512.Create(0xFFFF0000u));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Words(byte* row, byte* next) =>
        SixteenLanes.Widened((ushort*)row) | Vector512.ShiftLeft(SixteenLanes.Widened((ushort*)next), 16);

    /// <summary>The upper half is the nearest bfloat16, ties to even. (Not-a-number stays one: products and sums of the step never mask
    /// it.)</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Rounded(Vector512<float> values)
    {
        var bits = values.AsUInt32();
        return bits + Vector512.Create(0x7FFFu) + (Vector512.ShiftRightLogical(bits, 16) & Vector512.Create(1u));
    }
}

/// <summary>bfloat16, multiplied by Intel AMX tiles.</summary>
internal readonly unsafe struct Tiled16 : IElement
{
    public static int Size => 2;

    public static int PerWord => 2;

    public static TileProducts Tiles => TileProducts.AmxPairs;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source) => Brain16.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* target, Vector512<float> values) => Brain16.Store(target, values);

    public static void Round(float* from, nint count, byte* to) => Brain16.Round(from, count, to);

    public static void Norm(float* row, int width, float mean, float inverse, float* scale, float* shift, byte* target) =>
        Brain16.Norm(row, width, mean, inverse, scale, shift, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Words(Vector512<float> row, Vector512<float> next) => Brain16.Words(row, next);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Words(byte* row, byte* next) => Brain16.Words(row, next);
}

/// <summary>bfloat16 as it is kept, float32 as products read it: half the memory between products, where a processor multiplies float32 faster than
/// pairs of bfloat16.</summary>
internal readonly unsafe struct Widened16 : IElement
{
    public static int Size => 2;

    public static int PerWord => 1;

    public static TileProducts Tiles => TileProducts.Singles;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source) => Brain16.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* target, Vector512<float> values) => Brain16.Store(target, values);

    public static void Round(float* from, nint count, byte* to) => Brain16.Round(from, count, to);

    public static void Norm(float* row, int width, float mean, float inverse, float* scale, float* shift, byte* target) =>
        Brain16.Norm(row, width, mean, inverse, scale, shift, target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Words(Vector512<float> row, Vector512<float> next) => row.AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Words(byte* row, byte* next) => Brain16.Load(row).AsUInt32();
}
