using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Tests.Runtime.Collectives;

/// <summary>Ranks that are threads of this process: what a launcher and MPI do, without either.</summary>
internal sealed class ThreadRanks : Collective
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Place _place;

    private ThreadRanks(Place place, int rank)
    {
        (_place, Rank) = (place, rank);
        Places = [.. Enumerable.Range(0, place.Said.Length).Select(r => new RankPlace($"machine{r / 2}", 1000 + r))];
    }

    public override int Size => _place.Said.Length;

    public override int Rank { get; }

    public override IReadOnlyList<RankPlace> Places { get; }

    public override string Description => "threads";

    /// <summary>Runs each rank on a thread of its own; a rank that throws fails for all.</summary>
    /// <returns>What each came to: its result, or what it threw.</returns>
    public static (T? Result, Exception? Failure)[] Run<T>(int count, Func<Collective, T> work)
    {
        var place = new Place(new byte[count][], new Barrier(count));
        var ends = new (T?, Exception?)[count];
        var threads = Enumerable.Range(0, count).Select(rank => new Thread(() =>
        {
            using var ranks = new ThreadRanks(place, rank);
            try
            {
                ends[rank] = (work(ranks), null);
            }
#pragma warning disable CA1031 // whatever it is, the test looks at it
            catch (Exception e)
#pragma warning restore CA1031
            {
                ends[rank] = (default, e);
                ranks.Fail(e.Message, e is JepaSharp.Runtime.JepaException { IsUsage: true });
            }
        })
        { IsBackground = true }).ToList();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) Assert.True(thread.Join(Patience + Patience), "a rank still waits");
        return ends;
    }

    /// <summary>The same, where none may throw.</summary>
    public static T[] All<T>(int count, Func<Collective, T> work)
    {
        var ends = Run(count, work);
        if (Array.Find(ends, end => end.Failure is not null) is { Failure: { } failure })
            throw new InvalidOperationException("A rank failed.", failure);
        return Array.ConvertAll(ends, end => end.Result!);
    }

    internal override void Exchange(ReadOnlySpan<byte> own, Span<byte> all)
    {
        Say(own);
        for (var rank = 0; rank < Size; rank++) _place.Said[rank].CopyTo(all[(rank * own.Length)..]);
        Await();
    }

    internal override void ToFirst(ReadOnlySpan<byte> own, byte[][]? all)
    {
        Say(own);
        for (var rank = 1; all is not null && rank < Size; rank++) _place.Said[rank].CopyTo(all[rank], 0);
        Await();
    }

    internal override void Spread(Span<byte> bytes)
    {
        Say(IsFirst ? bytes : []);
        if (!IsFirst) _place.Said[0].CopyTo(bytes);
        Await();
    }

    internal override void Sum(Span<float> values)
    {
        Say(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values));
        var rows = _place.Said.SelectMany(bytes => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray()).ToArray();
        OrderedSum.Of(rows, values);
        Await();
    }

    private void Say(ReadOnlySpan<byte> own)
    {
        _place.Said[Rank] = own.ToArray();
        Await();
    }

    private void Await()
    {
        if (!_place.Barrier.SignalAndWait(Patience)) throw new TimeoutException($"rank {Rank} waited for too long");
    }

    private sealed record Place(byte[][] Said, Barrier Barrier);
}
