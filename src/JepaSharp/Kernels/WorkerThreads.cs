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
/// A training step has some hundred tasks of a millisecond and less. Between them the threads wait without giving up their core for a
/// moment, and only then sleep. Which thread takes an item never changes a result: every item writes to its own place.
/// </remarks>
internal sealed class WorkerThreads
{
    private const int SpinsBeforeSleep = 4000;

    private readonly Lock _oneTask = new();
    private readonly Scratch[] _scratch;
    private readonly object _wake = new();
    private Action<int, Scratch> _task = (_, _) => { };
    private Exception? _failure;
    private int _items;
    private int _next;
    private int _busy;
    private volatile int _generation;
    private int _sleeping;

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
            if (items <= 1 || Count == 1)
            {
                for (var i = 0; i < items; i++)
                {
                    _scratch[0].Clear();
                    task(i, _scratch[0]);
                }

                AmxCode.Release();
                return;
            }

            (_task, _items, _next, _busy, _failure) = (task, items, 0, Count - 1, null);
            Interlocked.Increment(ref _generation);
            if (Volatile.Read(ref _sleeping) > 0)
            {
                lock (_wake) Monitor.PulseAll(_wake);
            }

            TakeItems(_scratch[0]);
            var spinner = 0;
            while (Volatile.Read(ref _busy) > 0)
            {
                Thread.SpinWait(4);
                if (++spinner > SpinsBeforeSleep) Thread.Yield();
            }

            _task = (_, _) => { };
            AmxCode.Release();
            if (_failure is not null) ExceptionDispatchInfo.Throw(_failure);
        }
    }

    private void TakeItems(Scratch scratch)
    {
        try
        {
            while (true)
            {
                var item = Interlocked.Increment(ref _next) - 1;
                if (item >= _items) return;
                scratch.Clear();
                _task(item, scratch);
            }
        }
        catch (Exception e)
        {
            _failure = e;
            Volatile.Write(ref _next, _items);
        }
    }

    private void Serve(Scratch scratch)
    {
        var seen = 0;
        while (true)
        {
            for (var spins = 0; _generation == seen && spins < SpinsBeforeSleep; spins++) Thread.SpinWait(4);
            if (_generation == seen)
            {
                AmxCode.Release();
                lock (_wake)
                {
                    Interlocked.Increment(ref _sleeping);
                    while (_generation == seen) Monitor.Wait(_wake);
                    Interlocked.Decrement(ref _sleeping);
                }
            }

            seen = _generation;
            TakeItems(scratch);
            Interlocked.Decrement(ref _busy);
        }
    }
}
