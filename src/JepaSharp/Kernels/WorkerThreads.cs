using System.Runtime.ExceptionServices;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Kernels;

/// <summary>Memory that networks use in turns: whoever does holds its lock from block to block.</summary>
/// <remarks>What is never needed at the same time shares a place.</remarks>
internal sealed class TurnMemory
{
    /// <summary>A block's weights, packed for its forward pass or for its backward pass.</summary>
    public NativeBuffer Weights { get; } = new();

    /// <summary>A block's tokens, packed for the gradients of its weights; or what runs through the blocks while nothing is kept for a backward
    /// pass.</summary>
    public NativeBuffer Tokens { get; } = new();
}

/// <summary>Threads that share the items of one task after another; whoever is free takes the next.</summary>
/// <remarks>
/// A training step has some hundred tasks of a millisecond and less. Between them the threads wait for a moment without sleeping. Nobody waits for a
/// thread that has not begun: on a busy machine it may not get a core before the others have done its share. Which thread takes an item never
/// changes a result: every item writes to its own place.
/// </remarks>
internal sealed class WorkerThreads
{
    // A tenth of a millisecond. Whoever waits longer sleeps: a thread that spins or yields on a busy machine uses up its own part of it.
    private const int SpinsBeforeSleep = 800;

    private readonly Lock _oneTask = new();
    private readonly Scratch[] _scratch;
    private readonly object _wake = new();
    private volatile Job _job = new((_, _) => { }, 0);
    private int _sleeping;
    private bool _alone;

    /// <param name="count">Threads, the caller's among them.</param>
    public WorkerThreads(int count)
    {
        Count = Math.Max(1, count);
        _scratch = [.. Enumerable.Range(0, Count).Select(_ => new Scratch())];
        for (var i = 1; i < Count; i++)
        {
            var scratch = _scratch[i];
            new Thread(() => Serve(scratch)) { IsBackground = true, Name = $"JepaSharp kernel {i}" }.Start();
        }
    }

    /// <summary>The process's threads, as many as libtorch uses; made at first use.</summary>
    public static WorkerThreads Shared => LazyShared.Value;

    private static readonly Lazy<WorkerThreads> LazyShared = new(() => new WorkerThreads(TorchSharp.torch.get_num_threads()));

    /// <summary>How many work together.</summary>
    public int Count { get; }

    /// <summary>Memory between tasks, for whichever network's turn it is: nothing in it outlives that turn.</summary>
    public TurnMemory Turn { get; } = new();

    /// <summary>Does items 0 to <paramref name="items"/> - 1, each once, and returns when all are done.</summary>
    /// <param name="items">How many.</param>
    /// <param name="task">Does one item; its scratch memory is the thread's own, cleared before each item.</param>
    public void Run(int items, Action<int, Scratch> task)
    {
        lock (_oneTask)
        {
            if (items <= 1 || Count == 1 || _alone)
            {
                for (var i = 0; i < items; i++)
                {
                    _scratch[0].Clear();
                    task(i, _scratch[0]);
                }

                AmxCode.Release();
                return;
            }

            var job = new Job(task, items);
            _job = job;
            Interlocked.MemoryBarrier(); // either a thread about to sleep sees the job, or it is seen sleeping
            if (Volatile.Read(ref _sleeping) > 0)
            {
                lock (_wake) Monitor.PulseAll(_wake);
            }

            job.TakeItems(_scratch[0]);
            for (var spins = 0; !job.IsDone && spins < SpinsBeforeSleep; spins++) Thread.SpinWait(4);
            job.WaitUntilDone();
            AmxCode.Release();
            _job = Job.None; // lets go of what the task holds
            job.ThrowFailure();
        }
    }

    /// <summary>Until disposed, the calling thread does everything itself.</summary>
    public IDisposable Alone()
    {
        _alone = true;
        return new Ending(() => _alone = false);
    }

    private void Serve(Scratch scratch)
    {
        var seen = _job;
        while (true)
        {
            for (var spins = 0; _job == seen && spins < SpinsBeforeSleep; spins++) Thread.SpinWait(4);
            if (_job == seen)
            {
                AmxCode.Release();
                lock (_wake)
                {
                    Interlocked.Increment(ref _sleeping);
                    while (_job == seen || !_job.HasItems) Monitor.Wait(_wake);
                    Interlocked.Decrement(ref _sleeping);
                }
            }

            seen = _job;
            seen.TakeItems(scratch);
        }
    }

    /// <summary>One task and how far it is. A thread that comes late finds nothing left to take, whatever has begun since.</summary>
    private sealed class Job(Action<int, Scratch> task, int items)
    {
        private int _next;
        private int _done;
        private int _waiting;
        private ExceptionDispatchInfo? _failure;

        /// <summary>No task.</summary>
        public static Job None { get; } = new((_, _) => { }, 0);

        public bool HasItems => Volatile.Read(ref _next) < items;

        public bool IsDone => Volatile.Read(ref _done) >= items;

        public void TakeItems(Scratch scratch)
        {
            while (Interlocked.Increment(ref _next) - 1 is var item && item < items)
            {
                try
                {
                    // After a failure the rest is passed over.
                    if (_failure is null)
                    {
                        scratch.Clear();
                        task(item, scratch);
                    }
                }
                catch (Exception e)
                {
                    _failure ??= ExceptionDispatchInfo.Capture(e);
                }

                if (Interlocked.Increment(ref _done) == items && Volatile.Read(ref _waiting) != 0)
                {
                    lock (this) Monitor.PulseAll(this);
                }
            }
        }

        /// <summary>Sleeps until the last item is done.</summary>
        public void WaitUntilDone()
        {
            if (IsDone) return;
            _ = Interlocked.Exchange(ref _waiting, 1);
            lock (this)
            {
                while (!IsDone) Monitor.Wait(this);
            }
        }

        public void ThrowFailure() => _failure?.Throw();
    }

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
