using System.Runtime.InteropServices;
using System.Text;

namespace JepaSharp.Runtime.Collectives;

/// <summary>An MPI library, bound by function pointers: what is needed of it, and not a function more.</summary>
/// <remarks>Handles are <c>nint</c> whatever the family: MPICH's are 32-bit numbers, which fit; of a request it writes the lower half.</remarks>
internal sealed unsafe class MpiLibrary
{
    private const int Serialized = 2; // MPI_THREAD_SERIALIZED, in both families
    private const int TextBytes = 8192; // more than MPI_MAX_LIBRARY_VERSION_STRING of either
    private const int Tag = 25;

    private static readonly Dictionary<MpiFamily, string[]> Names = new()
    {
        [MpiFamily.OpenMpi] = ["libmpi.so.40", "libmpi.40.dylib"],
        [MpiFamily.Mpich] = ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib"],
    };

    private readonly MpiConstants _of;
    private readonly delegate* unmanaged<int*, void*, int, int*, int> _initialize;
    private readonly delegate* unmanaged<nint, int*, int> _size, _rank;
    private readonly delegate* unmanaged<nint, nint, int> _onError;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int> _send, _receive;
    private readonly delegate* unmanaged<void*, int, nint, int, nint, nint*, int> _broadcast;
    private readonly delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int> _allToAll, _allGather;
    private readonly delegate* unmanaged<nint*, int*, nint, int> _test;
    private readonly delegate* unmanaged<int, byte*, int*, int> _errorText;
    private readonly delegate* unmanaged<nint, int, int> _abort;
    private readonly delegate* unmanaged<int> _finalize;

    private MpiLibrary(nint library, string name)
    {
        (Family, _of) = MpiConstants.Of(library);
        nint Of(string function) => NativeLibrary.GetExport(library, function);
        _initialize = (delegate* unmanaged<int*, void*, int, int*, int>)Of("MPI_Init_thread");
        _size = (delegate* unmanaged<nint, int*, int>)Of("MPI_Comm_size");
        _rank = (delegate* unmanaged<nint, int*, int>)Of("MPI_Comm_rank");
        _onError = (delegate* unmanaged<nint, nint, int>)Of("MPI_Comm_set_errhandler");
        _send = (delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int>)Of("MPI_Isend");
        _receive = (delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int>)Of("MPI_Irecv");
        _broadcast = (delegate* unmanaged<void*, int, nint, int, nint, nint*, int>)Of("MPI_Ibcast");
        _allToAll = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int>)Of("MPI_Ialltoall");
        _allGather = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int>)Of("MPI_Iallgather");
        _test = (delegate* unmanaged<nint*, int*, nint, int>)Of("MPI_Test");
        _errorText = (delegate* unmanaged<int, byte*, int*, int>)Of("MPI_Error_string");
        _abort = (delegate* unmanaged<nint, int, int>)Of("MPI_Abort");
        _finalize = (delegate* unmanaged<int>)Of("MPI_Finalize");
        var text = stackalloc byte[TextBytes];
        var length = 0;
        var described = ((delegate* unmanaged<byte*, int*, int>)Of("MPI_Get_library_version"))(text, &length) == 0
            ? Encoding.UTF8.GetString(text, Math.Max(0, length)) : "";
        Name = name;
        Version = VersionIn(described, Family);
    }

    /// <summary>Which family.</summary>
    public MpiFamily Family { get; }

    /// <summary>Its file, as it was asked for.</summary>
    public string Name { get; }

    /// <summary>"Open MPI v4.1.4", "MPICH 4.0.2".</summary>
    public string Version { get; }

    /// <summary>Loads the library that fits a launcher.</summary>
    /// <param name="launch">How this process was started.</param>
    /// <param name="chosen">A path that was asked for; null for the usual names.</param>
    /// <exception cref="JepaException">There is none, or the launcher can be used by none.</exception>
    public static MpiLibrary Load(Launch launch, string? chosen)
    {
        if (launch.Families.Count == 0)
            throw new JepaException(
                $"{launch.Launcher} started {launch.Size} processes that know nothing of each other. Start them as an MPI program: srun --mpi=pmix "
                    + $"(Open MPI) or --mpi=pmi2 (MPICH); or set {Launch.LibraryVariable}=off for processes that are to work alone.", isUsage: true);
        string[] names = chosen is { Length: > 0 } ? [chosen] : [.. launch.Families.SelectMany(family => Names[family])];
        foreach (var name in names)
        {
            if (!NativeLibrary.TryLoad(name, out var library)) continue;
            try
            {
                return new MpiLibrary(library, name);
            }
            catch (EntryPointNotFoundException e)
            {
                throw new JepaException($"{name} is not an MPI library of version 3 or later: {e.Message}", isUsage: true, e);
            }
        }

        throw new JepaException(
            $"{launch.Launcher} started {launch.Size} processes, and its MPI library does not load ({string.Join(", ", names)}). Install it (Debian: "
                + $"{(launch.Families[0] == MpiFamily.OpenMpi ? "openmpi-bin" : "mpich")}), or say where it is with {Launch.LibraryVariable}=PATH.",
            isUsage: true);
    }

    /// <summary>Joins the ranks that were started together.</summary>
    /// <returns>How many there are, and which this is.</returns>
    public (int Size, int Rank) Initialize()
    {
        int given, size, rank;
        Check(_initialize(null, null, Serialized, &given), "MPI_Init_thread");
        Check(_onError(_of.World, _of.ErrorsReturn), "MPI_Comm_set_errhandler");
        Check(_size(_of.World, &size), "MPI_Comm_size");
        Check(_rank(_of.World, &rank), "MPI_Comm_rank");
        return (size, rank);
    }

    /// <summary>Begins to send to a rank.</summary>
    public nint Send(byte* bytes, int count, int rank)
    {
        nint request = 0;
        Check(_send(bytes, count, _of.Byte, rank, Tag, _of.World, &request), "MPI_Isend");
        return request;
    }

    /// <summary>Begins to receive from a rank.</summary>
    public nint Receive(byte* bytes, int count, int rank)
    {
        nint request = 0;
        Check(_receive(bytes, count, _of.Byte, rank, Tag, _of.World, &request), "MPI_Irecv");
        return request;
    }

    /// <summary>Begins to bring rank 0's bytes to all.</summary>
    public nint Broadcast(byte* bytes, int count)
    {
        nint request = 0;
        Check(_broadcast(bytes, count, _of.Byte, 0, _of.World, &request), "MPI_Ibcast");
        return request;
    }

    /// <summary>Begins to bring part r of every rank's bytes to rank r.</summary>
    /// <param name="from">[ranks, count].</param>
    /// <param name="to">[ranks, count].</param>
    /// <param name="count">Bytes of a part.</param>
    public nint AllToAll(byte* from, byte* to, int count)
    {
        nint request = 0;
        Check(_allToAll(from, count, _of.Byte, to, count, _of.Byte, _of.World, &request), "MPI_Ialltoall");
        return request;
    }

    /// <summary>Begins to bring every rank's bytes to all.</summary>
    /// <param name="from">[count].</param>
    /// <param name="to">[ranks, count].</param>
    /// <param name="count">Bytes of each.</param>
    public nint AllGather(byte* from, byte* to, int count)
    {
        nint request = 0;
        Check(_allGather(from, count, _of.Byte, to, count, _of.Byte, _of.World, &request), "MPI_Iallgather");
        return request;
    }

    /// <summary>Whether what was begun is done; then its request is no more.</summary>
    public bool IsDone(ref nint request)
    {
        var done = 0;
        fixed (nint* place = &request) Check(_test(place, &done, _of.IgnoredStatus), "MPI_Test");
        return done != 0;
    }

    /// <summary>Ends all ranks, this one as well.</summary>
    public void Abort(int exitCode) => _ = _abort(_of.World, exitCode);

    /// <summary>Parts from the others, who do the same.</summary>
    public void End() => _ = _finalize();

    /// <summary>The name and number in what a library says of itself, which may be a page.</summary>
    internal static string VersionIn(string described, MpiFamily family)
    {
        var first = described.Split('\n', 2)[0].Trim(' ', '\0', '\r');
        return family == MpiFamily.OpenMpi
            ? first.Split(',', 2)[0] is { Length: > 0 } known ? known : "Open MPI"
            : "MPICH " + first.Replace("MPICH Version:", "", StringComparison.Ordinal).Trim();
    }

    private void Check(int code, string function)
    {
        if (code == 0) return;
        var text = stackalloc byte[TextBytes];
        var length = 0;
        var why = _errorText(code, text, &length) == 0 ? Encoding.UTF8.GetString(text, Math.Max(0, length)) : $"error {code}";
        throw new JepaException($"{function} failed: {why}");
    }
}
