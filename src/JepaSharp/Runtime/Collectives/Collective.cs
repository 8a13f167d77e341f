using System.Buffers.Binary;
using System.Text;
using static TorchSharp.torch;

namespace JepaSharp.Runtime.Collectives;

/// <summary>The processes that work on one run together, each of which is a rank: what they tell each other, all at the same time.</summary>
/// <remarks>
/// <para>Every rank asks for the same operations in the same order. An operation begins with a meeting in which each says what it is about to do, so
/// that whoever cannot go on says so there (<see cref="Fail"/>) and all others hear it, instead of waiting for ever; and ranks that went different
/// ways are a fault that is said.</para>
/// <para>Whoever waits sleeps after a moment: others of the same machine use its cores. For one thread.</para>
/// </remarks>
public abstract class Collective : IDisposable
{
    private const int HeadBytes = 24;
    private const byte Failed = 1;

    private int _meetings;

    /// <summary>Whether a rank could not go on.</summary>
    private protected bool HasFailed { get; set; }

    private enum Operation : byte
    {
        Gather = 1,
        Share,
        Sum,
        Leave,
    }

    /// <summary>One process alone: every operation hands back what it is given.</summary>
    public static Collective Alone { get; } = new OneProcess();

    /// <summary>Ranks.</summary>
    public abstract int Size { get; }

    /// <summary>This process's number, from 0. The first owns whatever there is one of: a run's folder, its progress, its probes.</summary>
    public abstract int Rank { get; }

    /// <summary>Whether this is rank 0.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Where each rank runs.</summary>
    public abstract IReadOnlyList<RankPlace> Places { get; }

    /// <summary>What carries the gradients, for people: "MPICH 4.0.2 (libmpich.so.12)".</summary>
    public abstract string Description { get; }

    /// <summary>Is told, on rank 0, which ranks are waited for when that takes long; null for nobody.</summary>
    public Action<string>? Waiting { get; set; }

    /// <summary>"rank 3 on node07 (process 4711)".</summary>
    /// <param name="rank">From 0.</param>
    public string NameOf(int rank) => $"rank {rank} on {Places[rank].Host} (process {Places[rank].ProcessId})";

    /// <summary>Sums between GPUs; null where there are none.</summary>
    internal NcclSums? Gpus { get; set; }

    /// <summary>Whether nothing more can be asked: a rank failed, or all are done.</summary>
    private protected bool IsBroken { get; set; }

    /// <summary>What every rank says, in their order.</summary>
    /// <param name="own">Of any length, also of none.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public IReadOnlyList<byte[]> Gather(ReadOnlySpan<byte> own)
    {
        if (Size == 1) return [own.ToArray()];
        var lengths = Meet(Operation.Gather, own.Length);
        return GatherOf(own, lengths);
    }

    /// <summary>What every rank says, in their order, where only rank 0 wants to know.</summary>
    /// <param name="own">Of any length.</param>
    /// <returns>null on other ranks.</returns>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public IReadOnlyList<byte[]>? Collect(ReadOnlySpan<byte> own)
    {
        if (Size == 1) return [own.ToArray()];
        return Collected(own, Meet(Operation.Gather, own.Length));
    }

    /// <summary>What rank 0 says.</summary>
    /// <param name="bytes">On rank 0; elsewhere whatever.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public byte[] Share(byte[]? bytes)
    {
        if (Size == 1) return bytes!;
        var length = Meet(Operation.Share, IsFirst ? bytes!.Length : 0)[0];
        var shared = IsFirst ? bytes! : new byte[length];
        Spread(shared);
        return shared;
    }

    /// <summary>The text that rank 0 says.</summary>
    /// <param name="text">On rank 0; elsewhere whatever.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public string Share(string? text) => Encoding.UTF8.GetString(Share(IsFirst ? Encoding.UTF8.GetBytes(text!) : null));

    /// <summary>Makes every rank's tensors what rank 0's are.</summary>
    /// <param name="tensors">Of the same shapes and types everywhere; written to on ranks other than 0.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public void ShareTensors(IReadOnlyList<Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (Size == 1) return;
        RequireAlike(Meet(Operation.Share, tensors.Sum(t => t.numel() * t.element_size())));
        foreach (var tensor in tensors) TensorBytes.Change(tensor, Spread);
    }

    /// <summary>Makes every rank's tensors the sums over all ranks: each added up in the order of the ranks, so that all get the same bits; of
    /// tensors on GPUs, in NCCL's order.</summary>
    /// <param name="tensors">float32, contiguous, of the same shapes everywhere; written to.</param>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public void Sum(IReadOnlyList<Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (Size == 1) return;
        RequireAlike(Meet(Operation.Sum, tensors.Sum(t => t.numel())));
        if (Gpus is not null && tensors.All(t => t.device_type == TorchSharp.DeviceType.CUDA)) Gpus.Sum(tensors);
        else foreach (var tensor in tensors) TensorBytes.ChangeFloats(tensor, Sum);
    }

    /// <summary>Says that this rank cannot go on: all others throw <see cref="RankFailedException"/> at what they do next. Then nothing more can be
    /// asked.</summary>
    /// <param name="message">Why, in whole sentences.</param>
    /// <param name="isUsage">Whether it is a mistake in what was asked.</param>
    public void Fail(string message, bool isUsage)
    {
        if (Size == 1 || IsBroken) return;
        try
        {
            _ = Meet(Operation.Leave, isUsage ? 1 : 0, Encoding.UTF8.GetBytes(message));
        }
        catch (RankFailedException)
        {
            // Others could not go on either; each says its own.
        }
    }

    /// <summary>Waits until every rank is done. Then nothing more can be asked.</summary>
    /// <param name="exitCode">What this rank would tell the shell.</param>
    /// <returns>What all tell it: the largest.</returns>
    /// <exception cref="RankFailedException">Another rank could not go on.</exception>
    public int Leave(int exitCode = 0)
    {
        if (Size == 1) return exitCode;
        var codes = Meet(Operation.Leave, exitCode);
        IsBroken = true;
        return (int)codes.Max();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (HasFailed) Gpus?.Abort();
        Gpus?.Dispose();
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of whatever carries it.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>So many bytes of every rank, one after the other, to every rank.</summary>
    /// <param name="own">As many everywhere.</param>
    /// <param name="all">Room for those of all ranks.</param>
    internal abstract void Exchange(ReadOnlySpan<byte> own, Span<byte> all);

    /// <summary>Bytes of each rank to rank 0, whose own are there already.</summary>
    /// <param name="own">This rank's.</param>
    /// <param name="all">On rank 0, room for each rank's; null elsewhere.</param>
    internal abstract void ToFirst(ReadOnlySpan<byte> own, byte[][]? all);

    /// <summary>Bytes of rank 0 to all, in place.</summary>
    internal abstract void Spread(Span<byte> bytes);

    /// <summary>Sums over all ranks, in place, added up in the order of the ranks.</summary>
    internal abstract void Sum(Span<float> values);

    private byte[][] GatherOf(ReadOnlySpan<byte> own, long[] lengths)
    {
        var joined = new byte[lengths.Sum()];
        var collected = Collected(own, lengths);
        if (collected is not null)
        {
            var at = 0;
            foreach (var part in collected)
            {
                part.CopyTo(joined, at);
                at += part.Length;
            }
        }

        if (joined.Length > 0) Spread(joined);
        var parts = new byte[Size][];
        var begun = 0;
        for (var rank = 0; rank < Size; rank++)
        {
            parts[rank] = joined[begun..(begun + (int)lengths[rank])];
            begun += (int)lengths[rank];
        }

        return parts;
    }

    private byte[][]? Collected(ReadOnlySpan<byte> own, long[] lengths)
    {
        var all = IsFirst ? Array.ConvertAll(lengths, length => new byte[length]) : null;
        if (all is not null) own.CopyTo(all[0]);
        ToFirst(own, all);
        return all;
    }

    /// <summary>Says what is about to be done, and hears it of the others.</summary>
    /// <returns>Of each rank the number beside its operation.</returns>
    private long[] Meet(Operation operation, long number, byte[]? failure = null)
    {
        if (IsBroken) throw new InvalidOperationException("The ranks have parted: one of them failed, or all are done.");
        Span<byte> own = stackalloc byte[HeadBytes];
        own.Clear();
        (own[0], own[1]) = ((byte)operation, failure is null ? (byte)0 : Failed);
        BinaryPrimitives.WriteInt32LittleEndian(own[4..], _meetings++);
        BinaryPrimitives.WriteInt64LittleEndian(own[8..], number);
        BinaryPrimitives.WriteInt32LittleEndian(own[16..], failure?.Length ?? 0);
        var all = new byte[HeadBytes * Size];
        Exchange(own, all);
        Span<byte> HeadOf(int rank) => all.AsSpan(rank * HeadBytes, HeadBytes);
        var numbers = new long[Size];
        var (isFailed, isApart) = (false, false);
        for (var rank = 0; rank < Size; rank++)
        {
            var head = HeadOf(rank);
            numbers[rank] = BinaryPrimitives.ReadInt64LittleEndian(head[8..]);
            isFailed |= head[1] == Failed;
            isApart |= !head[..1].SequenceEqual(own[..1]) || !head[4..8].SequenceEqual(own[4..8]);
        }

        if (isFailed)
        {
            (IsBroken, HasFailed) = (true, true);
            var lengths = new long[Size];
            for (var rank = 0; rank < Size; rank++) lengths[rank] = BinaryPrimitives.ReadInt32LittleEndian(HeadOf(rank)[16..]);
            var words = GatherOf(failure ?? [], lengths);
            var first = Enumerable.Range(0, Size).First(rank => HeadOf(rank)[1] == Failed);
            throw new RankFailedException(first, NameOf(first), Encoding.UTF8.GetString(words[first]), numbers[first] == 1);
        }

        if (!isApart) return numbers;
        IsBroken = true;
        throw new InvalidOperationException(
            "The ranks went different ways: " + string.Join(", ", Enumerable.Range(0, Size).Select(
                rank => $"rank {rank} is at {(Operation)HeadOf(rank)[0]}, meeting "
                    + $"{BinaryPrimitives.ReadInt32LittleEndian(HeadOf(rank)[4..])}")) + ".");
    }

    private void RequireAlike(long[] numbers)
    {
        if (numbers.All(n => n == numbers[0])) return;
        IsBroken = true;
        throw new InvalidOperationException($"The ranks hold different amounts: {string.Join(", ", numbers)}.");
    }
}

/// <summary>Where a rank runs.</summary>
/// <param name="Host">Name of its machine.</param>
/// <param name="ProcessId">Its process there.</param>
public sealed record RankPlace(string Host, int ProcessId)
{
    /// <summary>This process.</summary>
    public static RankPlace Here => new(Environment.MachineName, Environment.ProcessId);
}

/// <summary>Another rank could not go on, or is gone, and so this one cannot either.</summary>
public sealed class RankFailedException : JepaException
{
    internal RankFailedException(int rank, string name, string reason, bool isUsage, bool isGone = false)
        : base($"{name}: {reason}", isUsage) => (Rank, IsGone) = (rank, isGone);

    /// <summary>Which.</summary>
    public int Rank { get; }

    /// <summary>Whether its process has ended, so that it can say nothing itself.</summary>
    public bool IsGone { get; }
}

/// <summary>One process.</summary>
internal sealed class OneProcess : Collective
{
    public override int Size => 1;

    public override int Rank => 0;

    public override IReadOnlyList<RankPlace> Places { get; } = [RankPlace.Here];

    public override string Description => "one process";

    internal override void Exchange(ReadOnlySpan<byte> own, Span<byte> all) => own.CopyTo(all);

    internal override void ToFirst(ReadOnlySpan<byte> own, byte[][]? all)
    {
    }

    internal override void Spread(Span<byte> bytes)
    {
    }

    internal override void Sum(Span<float> values)
    {
    }
}
