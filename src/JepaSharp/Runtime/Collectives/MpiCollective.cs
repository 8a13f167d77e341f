using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace JepaSharp.Runtime.Collectives;

/// <summary>Ranks that MPI brings together: what <c>mpirun</c> and <c>srun</c> start.</summary>
/// <remarks>
/// Everything is begun and then asked after, with sleep in between, since MPI itself waits by spinning. Sums go in pieces: every rank gets its part
/// of each piece from all others (all to all), adds it up in the order of the ranks, and gives it to all (all gather): the traffic of a ring, 2 (R -
/// 1) / R times the numbers, and the same bits on every rank whatever the library.
/// </remarks>
public sealed unsafe class MpiCollective : Collective
{
    /// <summary>float32 numbers of a piece that one rank adds up: 256 KiB.</summary>
    internal const int Part = 1 << 16;

    private const int MostBytes = 1 << 30, PlaceBytes = 256;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1), SayAfter = TimeSpan.FromSeconds(30);

    private readonly MpiLibrary _mpi;
    private readonly RankProcesses? _processes;
    private readonly float[] _gathered, _sum, _padded;
    private bool _hasLost, _isOver;

    private MpiCollective(MpiLibrary mpi, int size, int rank)
    {
        (_mpi, Size, Rank) = (mpi, size, rank);
        (_gathered, _padded, _sum) = (Buffer(size * Part), Buffer(size * Part), Buffer(Part));
        Places = [.. Enumerable.Repeat(RankPlace.Here, size)];
        var own = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId} {Environment.MachineName}"));
        var slots = new byte[PlaceBytes * size];
        var slot = new byte[PlaceBytes];
        own.AsSpan(0, Math.Min(own.Length, slot.Length)).CopyTo(slot);
        Exchange(slot, slots);
        Places = [.. Enumerable.Range(0, size).Select(r => PlaceOf(Encoding.UTF8.GetString(slots, r * PlaceBytes, PlaceBytes).TrimEnd('\0')))];
        _processes = new RankProcesses(Places, rank);
    }

    /// <inheritdoc/>
    public override int Size { get; }

    /// <inheritdoc/>
    public override int Rank { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<RankPlace> Places { get; }

    /// <inheritdoc/>
    public override string Description => $"{_mpi.Version} ({_mpi.Name})";

    /// <summary>Joins the ranks that a launcher started together.</summary>
    /// <param name="launch">How this process was started.</param>
    /// <exception cref="JepaException">MPI is missing, or is another than the launcher's.</exception>
    public static MpiCollective Join(Launch launch)
    {
        ArgumentNullException.ThrowIfNull(launch);
        if (OperatingSystem.IsWindows())
            throw new JepaException(
                $"{launch.Launcher} started {launch.Size} processes; on Windows one process does all the work. Start it alone.", isUsage: true);
        var mpi = MpiLibrary.Load(launch, Environment.GetEnvironmentVariable(Launch.LibraryVariable));
        var (size, rank) = mpi.Initialize();
        if (size == launch.Size) return new MpiCollective(mpi, size, rank);
        mpi.End();
        throw new JepaException(
            $"{launch.Launcher} started {launch.Size} processes, and {mpi.Version} ({mpi.Name}) knows of {size}: it belongs to another MPI than the "
                + $"launcher. Start with that MPI's own launcher (mpirun.{(mpi.Family == MpiFamily.OpenMpi ? "openmpi" : "mpich")} on Debian), or "
                + $"leave {Launch.LibraryVariable} unset.", isUsage: true);
    }

    internal override void Exchange(ReadOnlySpan<byte> own, Span<byte> all)
    {
        var parts = IsFirst ? new byte[Size][] : null;
        if (parts is not null)
        {
            for (var rank = 1; rank < Size; rank++) parts[rank] = new byte[own.Length];
            parts[0] = own.ToArray();
        }

        ToFirst(own, parts);
        if (parts is not null)
            for (var rank = 0; rank < Size; rank++) parts[rank].CopyTo(all[(rank * own.Length)..]);
        Spread(all);
    }

    internal override void ToFirst(ReadOnlySpan<byte> own, byte[][]? all)
    {
        if (all is null)
        {
            for (var at = 0; at < own.Length; at += MostBytes)
                fixed (byte* bytes = own[at..]) Await(_mpi.Send(bytes, Math.Min(MostBytes, own.Length - at), 0));
            return;
        }

        var requests = new nint[Size];
        var pins = new GCHandle[Size];
        try
        {
            // At most 2 GB of each: an array holds no more, and neither does a message.
            for (var rank = 1; rank < Size; rank++)
            {
                if (all[rank].Length == 0) continue;
                pins[rank] = GCHandle.Alloc(all[rank], GCHandleType.Pinned);
                if (all[rank].Length <= MostBytes) requests[rank] = _mpi.Receive((byte*)pins[rank].AddrOfPinnedObject(), all[rank].Length, rank);
            }

            for (var rank = 1; rank < Size; rank++)
            {
                var start = pins[rank].IsAllocated ? (byte*)pins[rank].AddrOfPinnedObject() : null;
                if (all[rank].Length > MostBytes)
                    for (var at = 0; at < all[rank].Length; at += MostBytes)
                        Await(_mpi.Receive(start + at, Math.Min(MostBytes, all[rank].Length - at), rank), rank);
                else if (all[rank].Length > 0) Await(requests[rank], rank);
            }
        }
        finally
        {
            foreach (var pin in pins) if (pin.IsAllocated) pin.Free();
        }
    }

    internal override void Spread(Span<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at += MostBytes)
            fixed (byte* start = bytes[at..]) Await(_mpi.Broadcast(start, Math.Min(MostBytes, bytes.Length - at)));
    }

    internal override void Sum(Span<float> values)
    {
        fixed (float* start = values, gathered = _gathered, padded = _padded, sum = _sum)
        {
            for (long at = 0; at < values.Length; at += Size * Part)
            {
                var left = (int)Math.Min(Size * Part, values.Length - at);
                var part = (left + Size - 1) / Size;
                var isWhole = part * Size == left;
                var piece = isWhole ? start + at : padded;
                if (!isWhole)
                {
                    values.Slice((int)at, left).CopyTo(_padded);
                    _padded.AsSpan(left, (part * Size) - left).Clear();
                }

                Await(_mpi.AllToAll((byte*)piece, (byte*)gathered, part * sizeof(float)));
                OrderedSum.Of(_gathered.AsSpan(0, part * Size), _sum.AsSpan(0, part));
                Await(_mpi.AllGather((byte*)sum, (byte*)piece, part * sizeof(float)));
                if (!isWhole) _padded.AsSpan(0, left).CopyTo(values[(int)at..]);
            }
        }
    }

    /// <summary>Parts from the others; where one is gone, ends them all.</summary>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (_isOver) return;
        _isOver = true;
        if (_hasLost) _mpi.Abort(1);
        else _mpi.End();
    }

    // Pinned, and where MPI may keep a note of it.
    private static float[] Buffer(int count) => GC.AllocateArray<float>(count, pinned: true);

    private static RankPlace PlaceOf(string said) =>
        said.Split(' ', 2) is [var process, var host] ? new RankPlace(host, int.Parse(process, CultureInfo.InvariantCulture)) : RankPlace.Here;

    private void Await(nint request, int? from = null)
    {
        var wait = new PatientWait();
        var (looked, said, missed) = (TimeSpan.Zero, false, (int?)null);
        while (!_mpi.IsDone(ref request))
        {
            wait.Pause();
            if (wait.Elapsed - looked < LookEvery) continue;
            looked = wait.Elapsed;
            // Twice: what it sent before it ended may be on its way.
            (var before, missed) = (missed, _processes?.Gone());
            if (missed is { } gone && before == gone)
            {
                (_hasLost, IsBroken, HasFailed) = (true, true, true);
                throw new RankFailedException(
                    gone, NameOf(gone), "its process has ended without a word, and so the others end too.", isUsage: false, isGone: true);
            }

            if (said || from is not { } late || wait.Elapsed < SayAfter) continue;
            said = true;
            Waiting?.Invoke(string.Create(CultureInfo.InvariantCulture, $"waiting for {NameOf(late)} for {wait.Elapsed.TotalSeconds:F0} s"));
        }
    }
}
