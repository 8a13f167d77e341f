using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Tests.Runtime.Collectives;

/// <summary>What NCCL's functions do, for ranks that are threads and numbers in main memory: called as the library is, by address.</summary>
/// <remarks>It answers as NCCL would where it is asked for what it should not be: another type, sum, stream or name of a group, or outside a group of
/// calls.</remarks>
internal static unsafe class NcclStandIn
{
    private const int InvalidArgument = 4, InvalidUsage = 5;
    private static readonly nint Text = Marshal.StringToCoTaskMemUTF8("invalid argument");
    private static readonly Dictionary<nint, int> Ranks = [];
    [ThreadStatic] private static int _depth;
    private static Barrier _all = new(1);
    private static nint[] _places = [];
    private static int _left, _aborted, _next;

    /// <summary>Members that have left a group, and that have left it without waiting.</summary>
    public static (int Left, int Aborted) Ends => (_left, _aborted);

    /// <summary>The library, for so many ranks.</summary>
    public static NcclLibrary Of(int ranks)
    {
        (_all, _places, _left, _aborted) = (new Barrier(ranks), new nint[ranks], 0, 0);
        return new NcclLibrary(AddressOf, "stand-in");
    }

    private static nint AddressOf(string function) => function switch
    {
        "ncclGetVersion" => (nint)(delegate* unmanaged<int*, int>)&Version,
        "ncclGetUniqueId" => (nint)(delegate* unmanaged<NcclId*, int>)&NewId,
        "ncclCommInitRank" => (nint)(delegate* unmanaged<nint*, int, NcclId, int, int>)&Join,
        "ncclAllReduce" => (nint)(delegate* unmanaged<void*, void*, nuint, int, int, nint, nint, int>)&AllReduce,
        "ncclGroupStart" => (nint)(delegate* unmanaged<int>)&Begin,
        "ncclGroupEnd" => (nint)(delegate* unmanaged<int>)&End,
        "ncclCommDestroy" => (nint)(delegate* unmanaged<nint, int>)&Leave,
        "ncclCommAbort" => (nint)(delegate* unmanaged<nint, int>)&Abort,
        "ncclGetErrorString" => (nint)(delegate* unmanaged<int, byte*>)&ErrorText,
        _ => throw new EntryPointNotFoundException(function),
    };

    [UnmanagedCallersOnly]
    private static int Version(int* version)
    {
        *version = 22105;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int NewId(NcclId* id)
    {
        for (var i = 0; i < NcclId.Size; i++) id->Bytes[i] = ByteOf(i);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Join(nint* group, int size, NcclId id, int rank)
    {
        for (var i = 0; i < NcclId.Size; i++)
            if (id.Bytes[i] != ByteOf(i)) return InvalidArgument;
        if (size != _places.Length || rank < 0 || rank >= size) return InvalidArgument;
        *group = Interlocked.Increment(ref _next);
        lock (Ranks) Ranks[*group] = rank;
        _all.SignalAndWait();
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int AllReduce(void* from, void* to, nuint count, int type, int operation, nint group, nint stream)
    {
        if (type != 7 || operation != 0 || stream != 0) return InvalidArgument;
        if (_depth != 1) return InvalidUsage;
        int rank;
        lock (Ranks) rank = Ranks[group];
        _places[rank] = (nint)from;
        _all.SignalAndWait();
        var sum = new float[(int)count];
        foreach (var place in _places)
            for (var i = 0; i < sum.Length; i++) sum[i] += ((float*)place)[i];
        _all.SignalAndWait();
        sum.CopyTo(new Span<float>(to, sum.Length));
        _all.SignalAndWait();
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Begin()
    {
        _depth++;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int End()
    {
        _depth--;
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Leave(nint group)
    {
        _ = Interlocked.Increment(ref _left);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static int Abort(nint group)
    {
        _ = Interlocked.Increment(ref _aborted);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static byte* ErrorText(int code) => (byte*)Text;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte ByteOf(int i) => (byte)((i * 7) + 1);
}
