using System.Runtime.ExceptionServices;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>Where kernels of our own leave what their backward needs, and where a backward pass can be cut in pieces.</summary>
/// <remarks>
/// Each kernel is a node of libtorch's own graph (<see cref="KernelFunction"/>): gradients, views, detached copies and what is used twice are
/// libtorch's business. The tape holds what a graph cannot: memory that a kernel keeps until its backward has come, given back at the end where it
/// never comes, and cuts. Outside a tape, what needs gradients runs on libtorch's operators alone.
/// </remarks>
internal sealed class GradientTape : IDisposable
{
    [ThreadStatic] private static GradientTape? _current;

    private readonly HashSet<KernelStep> _steps = [];
    private readonly List<CutPlace> _cuts = [];
    private readonly Tensor _anchor = empty([0], float32, CPU, requires_grad: true).DetachFromDisposeScope();
    private readonly List<Tensor> _handedOver = [];
    private Exception? _failure;

    private GradientTape(bool isReadAtOnce) => IsReadAtOnce = isReadAtOnce;

    /// <summary>Whether losses are read by the host as they come, so that they may be computed there.</summary>
    public bool IsReadAtOnce { get; }

    /// <summary>The tape that this thread records on, or null.</summary>
    public static GradientTape? Current => _current;

    /// <summary>
    /// Whether a kernel can take the place of libtorch's operators on <paramref name="x"/>: without gradients, or with a tape to record on.
    /// </summary>
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

    /// <summary>Makes a kernel's step part of libtorch's graph.</summary>
    /// <param name="input">What it read; its memory is kept until backward is done, and must not be written over until then.</param>
    /// <param name="output">What it computed; taken over.</param>
    /// <param name="backward">From the output's gradient (not to be changed) to the input's (null where it needs none), adding parameters'
    /// gradients on the way.</param>
    /// <param name="release">Called instead where backward never comes.</param>
    /// <returns>The output as libtorch should go on with it.</returns>
    public Tensor Record(Tensor input, Tensor output, Func<Tensor, Tensor?> backward, Action release)
    {
        var step = new KernelStep(this, backward, release);
        _ = _steps.Add(step);
        return KernelFunction.Join(input, _anchor, output, step);
    }

    /// <summary>How many cuts there are: to stop <see cref="Backward(Tensor, int)"/> at.</summary>
    public int Mark => _cuts.Count;

    /// <summary>The same numbers, behind which <see cref="Backward(Tensor, int)"/> can stop and be started again, gradients adding up.</summary>
    public Tensor Cut(Tensor tensor)
    {
        var cut = new CutPlace(tensor.alias().DetachFromDisposeScope());
        _cuts.Add(cut);
        return KernelFunction.Join(null, _anchor, tensor.detach(), new KernelStep(this, cut.Add, release: null));
    }

    /// <summary>Gradients of <paramref name="loss"/>, through what came after the cuts before <paramref name="mark"/>.</summary>
    public void Backward(Tensor loss, int mark)
    {
        loss.backward();
        Backward(mark);
    }

    /// <summary>The same from the gradient of <paramref name="output"/> on.</summary>
    /// <param name="output">What a loss was computed of.</param>
    /// <param name="gradient">What the loss changes by per number of it.</param>
    /// <param name="mark">Where to stop.</param>
    public void Backward(Tensor output, Tensor gradient, int mark)
    {
        output.backward([gradient.view(output.shape)]);
        Backward(mark);
    }

    /// <summary>Takes the gradients that have come so far back through what lies between the cuts after <paramref name="mark"/>.</summary>
    public void Backward(int mark)
    {
        ThrowFailure();
        while (_cuts.Count > mark)
        {
            using var cut = _cuts[^1];
            _cuts.RemoveAt(_cuts.Count - 1);
            cut.Continue();
            ThrowFailure();
        }

        LetGo();
    }

    /// <summary>Ends recording. What failed in a backward pass and has not been said yet is said now.</summary>
    public void Dispose()
    {
        foreach (var step in _steps) step.GiveUp();
        foreach (var cut in _cuts) cut.Dispose();
        _steps.Clear();
        _cuts.Clear();
        LetGo();
        _anchor.Dispose();
        if (_current == this) _current = null;
        ThrowFailure();
    }

    /// <summary>A step's backward is done.</summary>
    internal void Done(KernelStep step) => _steps.Remove(step);

    /// <summary>Remembers what went wrong inside libtorch's backward pass, through which no exception may go.</summary>
    internal void Failed(Exception failure) => _failure ??= failure;

    /// <summary>Lets go of a gradient when the next is handed over: libtorch holds it by then.</summary>
    internal Tensor HandOver(Tensor gradient)
    {
        LetGo();
        gradient = gradient.DetachFromDisposeScope();
        _handedOver.Add(gradient);
        return gradient;
    }

    private void LetGo()
    {
        foreach (var gradient in _handedOver) gradient.Dispose();
        _handedOver.Clear();
    }

    private void ThrowFailure()
    {
        if (_failure is not { } failure) return;
        _failure = null;
        ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>A tensor behind which backward stops for a while, and the gradient that has come so far.</summary>
    private sealed class CutPlace(Tensor source) : IDisposable
    {
        private Tensor? _gradient;
        private bool _own;

        public Tensor? Add(Tensor gradient)
        {
            if (_gradient is null)
            {
                _gradient = gradient.alias().DetachFromDisposeScope();
            }
            else if (_own)
            {
                _ = _gradient.Add_(gradient);
            }
            else
            {
                // The first may be somebody else's too: only a sum may be changed.
                var sum = _gradient.Add(gradient).DetachFromDisposeScope();
                _gradient.Dispose();
                (_gradient, _own) = (sum, true);
            }

            return null;
        }

        public void Continue()
        {
            if (_gradient is not null && source.requires_grad) source.backward([_gradient]);
        }

        public void Dispose()
        {
            _gradient?.Dispose();
            source.Dispose();
        }
    }
}
