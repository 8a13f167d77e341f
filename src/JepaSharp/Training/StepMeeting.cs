using System.Buffers.Binary;
using System.Globalization;
using JepaSharp.Runtime.Collectives;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>What the ranks of a run tell each other in every step, before their gradients are added up: so that all stop after the same step,
/// whichever was asked to, and that a slow one is noticed.</summary>
/// <param name="ranks">All of them.</param>
/// <param name="time">What work is timed by; null for the system's clock.</param>
internal sealed class StepMeeting(Collective ranks, TimeProvider? time = null) : IDisposable
{
    private const int Bytes = 24;

    private readonly CancellationTokenSource _agreed = new();
    private readonly SlowRanks _slow = new(ranks.Size);
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private long _workingSince = (time ?? TimeProvider.System).GetTimestamp();
    private double _worked; // seconds, before the ranks last came together within the step

    /// <summary>Cancelled on every rank at the same point of the run, once a stop was asked of any of them.</summary>
    public CancellationToken Agreed => _agreed.Token;

    /// <summary>Asks this rank to stop: what came of a signal.</summary>
    public CancellationToken Asked { get; set; }

    /// <summary>Is told of a slow rank; null for nobody.</summary>
    public ITrainingObserver? Observer { get; set; }

    /// <summary>How many images this rank could not read so far; null for none.</summary>
    public Func<int>? Unreadable { get; set; }

    /// <summary>Images that could not be read so far, on all ranks together. An image may be met on several.</summary>
    public int UnreadableOnAll { get; private set; }

    /// <summary>Brings the ranks together once each has its own gradients.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="loss">This rank's part of the loss.</param>
    /// <returns>The loss: its parts, added up in the order of the ranks.</returns>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public double Meet(long step, double loss)
    {
        Span<byte> own = stackalloc byte[Bytes];
        BinaryPrimitives.WriteDoubleLittleEndian(own, loss);
        BinaryPrimitives.WriteDoubleLittleEndian(own[8..], _worked + Working);
        BinaryPrimitives.WriteInt32LittleEndian(own[16..], Asked.IsCancellationRequested ? 1 : 0);
        BinaryPrimitives.WriteInt32LittleEndian(own[20..], Unreadable?.Invoke() ?? 0);
        var (sum, isAsked, unreadable) = (0.0, false, 0);
        var said = ranks.Gather(own);
        for (var rank = 0; rank < ranks.Size; rank++)
        {
            ReadOnlySpan<byte> part = said[rank];
            sum += BinaryPrimitives.ReadDoubleLittleEndian(part);
            _slow.Note(rank, BinaryPrimitives.ReadDoubleLittleEndian(part[8..]));
            isAsked |= BinaryPrimitives.ReadInt32LittleEndian(part[16..]) != 0;
            unreadable += BinaryPrimitives.ReadInt32LittleEndian(part[20..]);
        }

        UnreadableOnAll = unreadable;
        if (isAsked) _agreed.Cancel();
        if (Observer is { } observer && _slow.Found() is { } slow)
            observer.OnWarning(step, string.Create(CultureInfo.InvariantCulture,
                $"{ranks.NameOf(slow.Rank)} works {slow.Seconds:G3} s on a step, the others {slow.Others:G3} s: all wait for it in every step. See "
                    + $"what else its machine does, or leave it out."));
        return sum;
    }

    /// <summary>From here on a rank works on its part of the next step.</summary>
    public void Part() => (_workingSince, _worked) = (_time.GetTimestamp(), 0);

    /// <summary>Adds up tensors of all ranks within a step; that one waits there for another is no work of its own.</summary>
    /// <param name="tensors">float32, contiguous, of the same shapes everywhere; written to.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public void Exchange(IReadOnlyList<Tensor> tensors)
    {
        _worked += Working;
        ranks.Sum(tensors);
        _workingSince = _time.GetTimestamp();
    }

    private double Working => _time.GetElapsedTime(_workingSince).TotalSeconds;

    /// <inheritdoc/>
    public void Dispose() => _agreed.Dispose();

    /// <summary>Brings the ranks together where no step is taken: whether any was asked to stop.</summary>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public void AgreeOnStop()
    {
        if (ranks.Size == 1 || _agreed.IsCancellationRequested) return;
        if (ranks.Gather([Asked.IsCancellationRequested ? (byte)1 : (byte)0]).Any(said => said[0] != 0)) _agreed.Cancel();
        Part();
    }
}

/// <summary>How long each rank works on its part of a step, and whether one holds up all others.</summary>
/// <param name="ranks">How many there are.</param>
internal sealed class SlowRanks(int ranks)
{
    /// <summary>Steps that are looked at together: what takes long now and then, such as a checkpoint, does not count.</summary>
    public const int Steps = 21;

    /// <summary>How many times longer than the others a slow one works.</summary>
    public const double Factor = 1.5;

    // Differences that nobody would notice.
    private const double LeastSeconds = 0.005;

    private readonly Queue<double>[] _seconds = [.. Enumerable.Range(0, ranks).Select(_ => new Queue<double>())];
    private readonly HashSet<int> _said = [];

    /// <summary>A rank's work on its part of a step, without waiting for the others.</summary>
    public void Note(int rank, double seconds)
    {
        var kept = _seconds[rank];
        if (kept.Count == Steps) _ = kept.Dequeue();
        kept.Enqueue(seconds);
    }

    /// <summary>The slowest rank, where it is much slower than the others, once for each.</summary>
    public (int Rank, double Seconds, double Others)? Found()
    {
        if (_seconds.Length < 2 || _seconds[0].Count < Steps) return null;
        double[] medians = [.. _seconds.Select(s => Median(s))];
        var slowest = Array.IndexOf(medians, medians.Max());
        var others = Median(medians.Where((_, rank) => rank != slowest));
        if (medians[slowest] < Factor * others || medians[slowest] - others < LeastSeconds || !_said.Add(slowest)) return null;
        return (slowest, medians[slowest], others);
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[(sorted.Length - 1) / 2];
    }
}
