using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>What a kernel does when the gradient of its output comes.</summary>
/// <param name="tape">Whose step it is.</param>
/// <param name="backward">From the output's gradient to the input's.</param>
/// <param name="release">Called instead where backward never comes; null for a step that keeps nothing, and whose backward may come any number of
/// times.</param>
internal sealed class KernelStep(GradientTape tape, Func<Tensor, Tensor?> backward, Action? release)
{
    private bool _over;

    /// <summary>What the forward pass computed; only until it is part of the graph.</summary>
    public Tensor? Output { get; set; }

    /// <summary>
    /// The gradient of the input, or null where nobody needs it. Throws nothing: libtorch could not pass it on. What fails is said by the tape.
    /// </summary>
    /// <param name="context">Keeps the input, and refuses to give it out where it has been written over since.</param>
    /// <param name="gradient">Of the output; taken over. Invalid where none came.</param>
    /// <param name="wanted">Whether the input needs a gradient.</param>
    public Tensor? Run(autograd.AutogradContext context, Tensor gradient, bool wanted)
    {
        try
        {
            using var scope = NewDisposeScope();
            using var given = gradient;
            if (_over)
                throw new InvalidOperationException(
                    "Gradients came a second time, or after the tape's end: kernels keep what they need for one backward pass.");
            if (release is not null)
            {
                _ = context.get_saved_variables(); // in this scope until backward is done
                context.Dispose();
                if (gradient.IsInvalid) GiveUp();
                _over = true;
            }

            if (gradient.IsInvalid) return null;
            return backward(gradient.contiguous()) is { } inward && wanted ? tape.HandOver(inward) : null;
        }
#pragma warning disable CA1031 // whatever it is: there is native code in between
        catch (Exception failure)
#pragma warning restore CA1031
        {
            tape.Failed(failure);
            return null;
        }
        finally
        {
            tape.Done(this);
        }
    }

    /// <summary>Backward will not come.</summary>
    public void GiveUp()
    {
        if (_over) return;
        _over = true;
        release?.Invoke();
    }
}

/// <summary>A kernel's step as a node of libtorch's graph.</summary>
internal sealed class KernelFunction : autograd.SingleTensorFunction<KernelFunction>
{
    /// <inheritdoc/>
    public override string Name => "Kernel";

    /// <summary>Puts a step between its input and its output.</summary>
    /// <param name="input">What it read; null for none.</param>
    /// <param name="anchor">Something that needs gradients, so that backward comes even where the input needs none.</param>
    /// <param name="output">What it computed; taken over.</param>
    /// <param name="step">What to do when the output's gradient comes.</param>
    /// <returns>The same numbers, with the step behind them.</returns>
    public static Tensor Join(Tensor? input, Tensor anchor, Tensor output, KernelStep step)
    {
        step.Output = output;
        return input is null ? apply(anchor, step) : apply(anchor, step, input);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.set_materialize_grads(false);
        var step = (KernelStep)vars[1];
        if (vars.Length > 2) ctx.save_for_backward([(Tensor)vars[2]]);
        ctx.save_data("step", step);
        ctx.save_data("wanted", vars.Skip(2).Select(input => ((Tensor)input).requires_grad).ToArray());
        var output = step.Output!;
        step.Output = null;
        return output;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var (step, wanted) = ((KernelStep)ctx.get_data("step"), (bool[])ctx.get_data("wanted"));
        var inward = step.Run(ctx, grad_output, wanted is [true]);
        return wanted.Length == 0 ? [null!, null!] : [null!, null!, inward!];
    }
}
