using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>Joins kernels of our own with the engine's automatic differentiation.</summary>
/// <remarks>
/// A kernel's output is a fresh leaf for the engine, so that the engine's graph falls into pieces with kernels between them. Backward runs the
/// engine on the last piece, hands the leaf's gradient to the kernel before it, runs the engine on the piece before with what comes out, and so on:
/// the chain rule, last first. Where one kernel reads just what another wrote (the same memory, as many numbers), the gradient goes from one to the other, uncopied, without the engine. Outside a tape, what needs gradients runs on the engine's operators alone.
/// </remarks>
internal sealed class GradientTape : IDisposable
{
    [ThreadStatic] private static GradientTape? _current;

    private readonly List<Entry> _entries = [];

    private GradientTape(bool isReadAtOnce) => IsReadAtOnce = isReadAtOnce;

    /// <summary>Whether losses are read by the host as they come, so that they may be computed there.</summary>
    public bool IsReadAtOnce { get; }

    /// <summary>The tape that this thread records on, or null.</summary>
    public static GradientTape? Current => _current;

    /// <summary>Whether a kernel can take the place of the engine's operators on <paramref name="x"/>: without gradients, or with a tape to record on.</summary>
    /// <param name="trained">Whether the kernel can add to its parameters' gradients.</param>
    /// <param name="x">What it would read.</param>
    public static bool Allows(bool trained, Tensor x) => !is_grad_enabled() || (trained ? _current is not null : !x.requires_grad);

    /// <summary>Starts recording on this thread, until disposed.</summary>
    /// <param name="isReadAtOnce">Whether losses are read by the host as they come.</param>
    /// <exception cref="InvalidOperationException">One is recording already.</exception>
    public static GradientTape Start(bool isReadAtOnce = false)
    {
        if (_current is not null) throw new InvalidOperationException("A gradient tape is already recording on this thread.");
        return _current = new GradientTape(isReadAtOnce);
    }

    /// <summary>Records a kernel's step.</summary>
    /// <param name="input">What it read; its memory is kept until backward is done.</param>
    /// <param name="output">What it computed; taken over.</param>
    /// <param name="backward">From the output's gradient to the input's (null where the input needs none), adding parameters' gradients on the way.</param>
    /// <param name="release">Called instead where backward never comes.</param>
    /// <returns>The output as the engine should go on with it.</returns>
    public Tensor Record(Tensor input, Tensor output, Func<Tensor, Tensor?> backward, Action release)
    {
        var kept = input.requires_grad ? input.alias() : input.detach();
        var leaf = output.DetachFromDisposeScope();
        leaf.requires_grad = true;
        _entries.Add(new Entry(kept.DetachFromDisposeScope(), leaf, PlaceOf(leaf), backward, release));
        return leaf.alias();
    }

    /// <summary>How much is recorded: to stop <see cref="Backward(Tensor, int)"/> at.</summary>
    public int Mark => _entries.Count;

    /// <summary>The same numbers, behind which <see cref="Backward(Tensor, int)"/> can stop and be started again, gradients adding up.</summary>
    public Tensor Cut(Tensor tensor) => Record(tensor, tensor.detach().alias(), gradient => gradient, () => { });

    /// <summary>Gradients of <paramref name="loss"/>, through what was recorded after <paramref name="mark"/>.</summary>
    public void Backward(Tensor loss, int mark)
    {
        loss.backward();
        Backward(mark);
    }

    /// <summary>The same from the gradient of <paramref name="output"/> on, which is taken over.</summary>
    /// <param name="output">What a loss was computed of.</param>
    /// <param name="gradient">What the loss changes by per number of it.</param>
    /// <param name="mark">Where to stop.</param>
    public void Backward(Tensor output, Tensor gradient, int mark)
    {
        Hand(gradient, output);
        Backward(mark);
    }

    /// <summary>Takes the gradients that have come so far back through what was recorded after <paramref name="mark"/>.</summary>
    public void Backward(int mark)
    {
        while (_entries.Count > mark)
        {
            using var scope = NewDisposeScope();
            using var entry = _entries[^1];
            _entries.RemoveAt(_entries.Count - 1);
            if (entry.Output.grad is not { } gradient)
            {
                entry.Release();
                continue;
            }

            Tensor? inward;
            using (no_grad()) inward = entry.Backward(gradient.contiguous());
            if (entry.Input.requires_grad && inward is not null) Hand(inward, entry.Input);
        }
    }

    /// <summary>Brings a gradient to where <paramref name="tensor"/> came from: straight to the kernel that made it, or through the engine's graph.</summary>
    private void Hand(Tensor gradient, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var maker = MakerOf(tensor);
        if (maker is null)
        {
            tensor.backward([gradient]);
        }
        else if (maker.Output.grad is { } sum)
        {
            _ = sum.Plus_(gradient.view(sum.shape));
        }
        else
        {
            maker.Output.grad = gradient.view(maker.Output.shape); // no copy: the engine would make one
        }
    }

    /// <summary>The last that recorded just these numbers, all of them, whatever their shape.</summary>
    /// <remarks>Recorded outputs are kept alive, so that the same memory means the same numbers. What was cut off from the engine's graph by hand counts as recorded, too.</remarks>
    private Entry? MakerOf(Tensor tensor)
    {
        var place = PlaceOf(tensor);
        if (place == 0) return null;
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            if (_entries[i].Place == place && _entries[i].Output.numel() == tensor.numel()) return _entries[i];
        }

        return null;
    }

    /// <summary>Where the numbers lie; 0 where kernels could not have written them.</summary>
    private static unsafe nint PlaceOf(Tensor tensor) => tensor.device_type == TorchSharp.DeviceType.CPU && tensor.dtype == ScalarType.Float32 && tensor.is_contiguous() ? (nint)TensorMemory.Floats(tensor) : 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var entry in _entries)
        {
            entry.Release();
            entry.Dispose();
        }

        _entries.Clear();
        _current = null;
    }

    private sealed record Entry(Tensor Input, Tensor Output, nint Place, Func<Tensor, Tensor?> Backward, Action Release) : IDisposable
    {
        public void Dispose()
        {
            Input.Dispose();
            Output.grad?.Dispose();
            Output.Dispose();
        }
    }
}
