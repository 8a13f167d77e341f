using System.Diagnostics;
using System.Runtime.ExceptionServices;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>Fills one place of a batch.</summary>
/// <param name="batch">Number of the batch.</param>
/// <param name="position">Place in the batch.</param>
/// <param name="pixels">uint8 [H, W, 3].</param>
/// <returns>Index of the image in its source, or -1 to leave the place out.</returns>
internal delegate int FillPlace(long batch, int position, Span<byte> pixels);

/// <summary>Fills batches ahead of their consumer on threads of its own and hands them out in order. For one consumer.</summary>
/// <remarks>Which thread fills which place is left to chance, so a place must depend on nothing but its number. Memory: <c>depth + 1</c>
/// batches.</remarks>
internal sealed class BatchPipeline : IDisposable
{
    private readonly object _gate = new();
    private readonly BatchShape _shape;
    private readonly long _end;
    private readonly int _depth;
    private readonly Thread[] _threads;
    private readonly Queue<PendingBatch> _started = new();
    private readonly Stack<byte[]> _free = new();
    private PendingBatch? _filling;
    private ImageBatch? _handedOut;
    private ExceptionDispatchInfo? _failure;
    private long _next;
    private bool _stopped;

    /// <param name="shape">How many items of what size.</param>
    /// <param name="firstBatch">Batch to begin at.</param>
    /// <param name="end">Batch to end before.</param>
    /// <param name="threads">Threads to fill with.</param>
    /// <param name="depth">Batches begun or full and not yet taken, at most.</param>
    /// <param name="newWorker">Called once on each thread.</param>
    public BatchPipeline(BatchShape shape, long firstBatch, long end, int threads, int depth, Func<FillPlace> newWorker)
    {
        (_shape, _next, _end, _depth) = (shape, firstBatch, end, depth);
        _threads = new Thread[threads];
        for (var t = 0; t < threads; t++)
        {
            _threads[t] = new Thread(() => Work(newWorker)) { IsBackground = true, Name = $"JepaSharp loader {t}" };
            _threads[t].Start();
        }
    }

    /// <summary>The next batch in order, or null after the last. The batch handed out before is recycled.</summary>
    /// <param name="waited">How long it was waited for.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public ImageBatch? Next(out TimeSpan waited, CancellationToken cancellation)
    {
        var begun = Stopwatch.GetTimestamp();
        using var _ = cancellation.UnsafeRegister(static p => ((BatchPipeline)p!).Stop(), this);
        PendingBatch batch;
        lock (_gate)
        {
            if (_handedOut is { } old && old.Pixels.Length == _shape.FullBatchBytes) _free.Push(old.Pixels);
            _handedOut = null;
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                _failure?.Throw();
                ObjectDisposedException.ThrowIf(_stopped, this);
                if (_started.Count == 0 && _next >= _end)
                {
                    waited = Stopwatch.GetElapsedTime(begun);
                    return null;
                }

                if (_started.TryPeek(out batch!) && batch.Unfilled == 0) break;
                Monitor.Wait(_gate);
            }

            _started.Dequeue();
            Monitor.PulseAll(_gate);
        }

        waited = Stopwatch.GetElapsedTime(begun);
        return _handedOut = batch.ToBatch(_shape);
    }

    /// <summary>Stops the threads, each after the image it is at, and waits for their end.</summary>
    public void Dispose()
    {
        Stop();
        foreach (var thread in _threads) thread.Join();
    }

    private void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Work(Func<FillPlace> newWorker)
    {
        try
        {
            var fill = newWorker();
            while (Take() is var (batch, position))
            {
                var index = fill(batch.Number, position, batch.Pixels.AsSpan(position * _shape.ItemBytes, _shape.ItemBytes));
                lock (_gate)
                {
                    batch.Indices[position] = index;
                    if (--batch.Unfilled == 0) Monitor.PulseAll(_gate);
                }
            }
        }
#pragma warning disable CA1031 // whatever happens on this thread is the consumer's to hear
        catch (Exception e)
#pragma warning restore CA1031
        {
            lock (_gate)
            {
                _failure ??= ExceptionDispatchInfo.Capture(e);
                _stopped = true;
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>The next place to fill, once there is one; null when there is nothing left to do.</summary>
    private (PendingBatch Batch, int Position)? Take()
    {
        lock (_gate)
        {
            while (!_stopped)
            {
                if (_filling is { } batch && batch.NextPlace < batch.Indices.Length) return (batch, batch.NextPlace++);
                if (_next >= _end) return null;
                if (_started.Count < _depth) _started.Enqueue(_filling = Begin(_next++));
                else Monitor.Wait(_gate);
            }

            return null;
        }
    }

    private PendingBatch Begin(long number)
    {
        var count = _shape.CountOf(number);
        if (count == _shape.BatchSize && _free.TryPop(out var pixels)) return new PendingBatch(number, count, pixels);
        return new PendingBatch(number, count, GC.AllocateUninitializedArray<byte>(count * _shape.ItemBytes));
    }

    private sealed class PendingBatch(long number, int count, byte[] pixels)
    {
        public long Number { get; } = number;

        public byte[] Pixels { get; } = pixels;

        public int[] Indices { get; } = new int[count];

        public int NextPlace { get; set; }

        public int Unfilled { get; set; } = count;

        /// <summary>The batch without the places that were left out.</summary>
        public ImageBatch ToBatch(BatchShape shape)
        {
            var kept = 0;
            for (var i = 0; i < Indices.Length; i++)
            {
                if (Indices[i] < 0) continue;
                if (kept < i)
                {
                    Pixels.AsSpan(i * shape.ItemBytes, shape.ItemBytes).CopyTo(Pixels.AsSpan(kept * shape.ItemBytes));
                    Indices[kept] = Indices[i];
                }

                kept++;
            }

            return kept == Indices.Length
                ? new ImageBatch(kept, shape.Side, shape.Side, Pixels, Indices)
                : new ImageBatch(kept, shape.Side, shape.Side, Pixels[..(kept * shape.ItemBytes)], Indices[..kept]);
        }
    }
}

/// <summary>How a number of square crops is laid out in batches.</summary>
/// <param name="Items">Images in all.</param>
/// <param name="BatchSize">B.</param>
/// <param name="Side">H and W in pixels.</param>
/// <param name="DropsLast">Whether a last batch of fewer than B is left out.</param>
internal readonly record struct BatchShape(int Items, int BatchSize, int Side, bool DropsLast)
{
    /// <summary>Bytes of an item that is more than one crop of the side; null for one.</summary>
    public int? BytesOfViews { get; init; }

    public int ItemBytes => BytesOfViews ?? 3 * Side * Side;

    public int FullBatchBytes => BatchSize * ItemBytes;

    public int Batches => DropsLast ? Items / BatchSize : (int)(((long)Items + BatchSize - 1) / BatchSize);

    public int CountOf(long batch) => DropsLast ? BatchSize : (int)Math.Min(BatchSize, Items - (batch * BatchSize));

    /// <summary>Refuses what no array can hold.</summary>
    /// <exception cref="JepaException">A size is not positive or a batch is too large.</exception>
    public void Check()
    {
        if (BatchSize < 1 || Side < 1)
            throw new JepaException($"Batches of {BatchSize} images of {Side} pixels: both must be at least 1.", isUsage: true);
        if (Math.Max(3L * Side * Side, ItemBytes) * BatchSize > Array.MaxLength)
            throw new JepaException(
                $"A batch of {BatchSize} images of {Side}x{Side} pixels is more than 2 GB: make the batch or the crop smaller.", isUsage: true);
    }
}
