using System.Runtime.InteropServices;

namespace JepaSharp.Runtime.Collectives;

/// <summary>What names a group of ranks to NCCL: made by one of them, given to all.</summary>
internal unsafe struct NcclId
{
    /// <summary>Bytes of it.</summary>
    public const int Size = 128;

    /// <summary>They mean nothing to anybody else.</summary>
    public fixed byte Bytes[Size];
}

/// <summary>NVIDIA's NCCL, bound by function pointers: the nine functions that are needed.</summary>
internal sealed unsafe class NcclLibrary
{
    /// <summary>Environment variable: the path of <c>libnccl.so.2</c>.</summary>
    public const string Variable = "JEPASHARP_NCCL";

    private const int Float32 = 7, Sum = 0; // ncclFloat32, ncclSum

    private readonly delegate* unmanaged<NcclId*, int> _newId;
    private readonly delegate* unmanaged<nint*, int, NcclId, int, int> _join;
    private readonly delegate* unmanaged<void*, void*, nuint, int, int, nint, nint, int> _allReduce;
    private readonly delegate* unmanaged<int> _beginGroup, _endGroup;
    private readonly delegate* unmanaged<nint, int> _leave, _abort;
    private readonly delegate* unmanaged<int, byte*> _errorText;

    /// <param name="addressOf">The address of a function by its name.</param>
    /// <param name="name">What to call the library.</param>
    internal NcclLibrary(Func<string, nint> addressOf, string name)
    {
        _newId = (delegate* unmanaged<NcclId*, int>)addressOf("ncclGetUniqueId");
        _join = (delegate* unmanaged<nint*, int, NcclId, int, int>)addressOf("ncclCommInitRank");
        _allReduce = (delegate* unmanaged<void*, void*, nuint, int, int, nint, nint, int>)addressOf("ncclAllReduce");
        _beginGroup = (delegate* unmanaged<int>)addressOf("ncclGroupStart");
        _endGroup = (delegate* unmanaged<int>)addressOf("ncclGroupEnd");
        _leave = (delegate* unmanaged<nint, int>)addressOf("ncclCommDestroy");
        _abort = (delegate* unmanaged<nint, int>)addressOf("ncclCommAbort");
        _errorText = (delegate* unmanaged<int, byte*>)addressOf("ncclGetErrorString");
        var version = 0;
        Check(((delegate* unmanaged<int*, int>)addressOf("ncclGetVersion"))(&version), "ncclGetVersion");
        Name = $"NCCL {version / 10000}.{version / 100 % 100}.{version % 100} ({name})";
    }

    /// <summary>"NCCL 2.21.5 (path)".</summary>
    public string Name { get; }

    /// <summary>Loads it: from <see cref="Variable"/>, from the PyTorch whose libtorch is used, or by the system's own search.</summary>
    /// <exception cref="JepaException">There is none.</exception>
    public static NcclLibrary Load() => Load(Candidates(Environment.GetEnvironmentVariable(Variable), NativeLibtorch.LibtorchFolder));

    /// <summary>Where it may be, the likeliest first.</summary>
    /// <param name="chosen">A path that was asked for; null for none.</param>
    /// <param name="libtorch">The folder <c>torch/lib</c> of an installed PyTorch, beside which its NCCL lies in <c>nvidia/nccl/lib</c>; null for
    /// none.</param>
    internal static IReadOnlyList<string> Candidates(string? chosen, string? libtorch)
    {
        const string File = "libnccl.so.2";
        if (chosen is { Length: > 0 }) return [chosen];
        if (libtorch is null) return [File];
        var packages = Path.GetFullPath(Path.Combine(libtorch, "..", ".."));
        return [Path.Combine(libtorch, File), Path.Combine(packages, "nvidia", "nccl", "lib", File), File];
    }

    /// <summary>Loads the first of them that is there.</summary>
    /// <exception cref="JepaException">None is.</exception>
    internal static NcclLibrary Load(IReadOnlyList<string> candidates)
    {
        foreach (var name in candidates)
        {
            if (!NativeLibrary.TryLoad(name, out var library)) continue;
            try
            {
                return new NcclLibrary(function => NativeLibrary.GetExport(library, function), name);
            }
            catch (EntryPointNotFoundException e)
            {
                throw new JepaException($"{name} is not NCCL of version 2.4 or later: {e.Message}", isUsage: true, e);
            }
        }

        throw new JepaException(
            $"Several processes on GPUs want NCCL, which does not load ({string.Join(", ", candidates)}). Set {Variable} to its libnccl.so.2, such "
                + "as nvidia/nccl/lib/libnccl.so.2 among the packages of an installed PyTorch; or give --device cpu.", isUsage: true);
    }

    /// <summary>A new group's name.</summary>
    public NcclId NewId()
    {
        NcclId id;
        Check(_newId(&id), "ncclGetUniqueId");
        return id;
    }

    /// <summary>Joins a group; returns when all have. On the GPU that is current, which is the only one that a rank sees.</summary>
    public nint Join(NcclId id, int size, int rank)
    {
        nint group = 0;
        Check(_join(&group, size, id, rank), "ncclCommInitRank");
        return group;
    }

    /// <summary>Asks for sums over all ranks, in place; nobody waits for them but what the stream does next.</summary>
    /// <param name="group">From <see cref="Join"/>.</param>
    /// <param name="tensors">Of each the place on the GPU, and how many float32 numbers.</param>
    /// <param name="stream">The CUDA stream.</param>
    public void AllReduce(nint group, IReadOnlyList<(nint Place, long Count)> tensors, nint stream)
    {
        Check(_beginGroup(), "ncclGroupStart");
        foreach (var (place, count) in tensors)
            Check(_allReduce((void*)place, (void*)place, (nuint)count, Float32, Sum, group, stream), "ncclAllReduce");
        Check(_endGroup(), "ncclGroupEnd");
    }

    /// <summary>Leaves a group, as the others do.</summary>
    public void Leave(nint group) => _ = _leave(group);

    /// <summary>Leaves a group that others may have left already.</summary>
    public void Abort(nint group) => _ = _abort(group);

    private void Check(int code, string function)
    {
        if (code != 0) throw new JepaException($"{function} failed: {Marshal.PtrToStringUTF8((nint)_errorText(code)) ?? $"error {code}"}");
    }
}
