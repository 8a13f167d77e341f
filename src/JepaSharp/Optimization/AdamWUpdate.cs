using JepaSharp.Kernels;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Optimization;

/// <summary>One AdamW step on some numbers, and the moving average that follows them: in one pass of a CPU kernel where there is one, else by
/// libtorch's fused operator.</summary>
internal static class AdamWUpdate
{
    // TorchSharp binds no fused optimizer; TorchScript reaches the operator. What is returned must come out of the list: otherwise
    // TorchScript takes the call for one without effect and drops it.
    private static readonly Lazy<jit.CompilationUnit> Script =
        new(() => jit.compile(Function("step", "", "") + Function("step_if_finite", ", not_finite: Tensor", ", found_inf=not_finite")));

    /// <summary>Takes the step. All tensors float32, of as many numbers, contiguous.</summary>
    /// <param name="weights">w, changed.</param>
    /// <param name="gradients">g.</param>
    /// <param name="first">m, changed.</param>
    /// <param name="second">v, changed.</param>
    /// <param name="average">a, changed; null for none.</param>
    /// <param name="numbers">Of the step.</param>
    /// <param name="momentum">Of the average: a &lt;- momentum a + (1 - momentum) w.</param>
    public static unsafe void Take(
        Tensor weights, Tensor gradients, Tensor first, Tensor second, Tensor? average, AdamWNumbers numbers, double momentum)
    {
        var count = (nint)weights.numel();
        if (count == 0) return;
        if (KernelSupport.Singles && weights.device_type == DeviceType.CPU)
        {
            AdamWKernel.Step(
                TensorMemory.Floats(weights), TensorMemory.Floats(gradients), TensorMemory.Floats(first), TensorMemory.Floats(second),
                average is null ? null : TensorMemory.Floats(average), count, numbers, 1 - momentum, WorkerThreads.Shared);
            return;
        }

        using var scope = NewDisposeScope();
        _ = Script.Value.invoke<Tensor>("step", Arguments(weights, gradients, first, second, numbers));
        if (average is not null) _ = average.Lerp_(weights, 1 - momentum);
    }

    /// <summary>The same with the usual constants: betas 0.9 and 0.999, ε 1e-8.</summary>
    /// <param name="weights">w, changed.</param>
    /// <param name="gradients">g.</param>
    /// <param name="first">m, changed.</param>
    /// <param name="second">v, changed.</param>
    /// <param name="average">a, changed; null for none.</param>
    /// <param name="learningRate">lr.</param>
    /// <param name="weightDecay">λ.</param>
    /// <param name="step">t, counted from 1.</param>
    /// <param name="momentum">Of the average.</param>
    public static void Take(Tensor weights, Tensor gradients, Tensor first, Tensor second, Tensor? average, double learningRate, double weightDecay,
        long step, double momentum) =>
        Take(weights, gradients, first, second, average, new AdamWNumbers(learningRate, 0.9, 0.999, 1e-8, weightDecay, step), momentum);

    /// <summary>The same on libtorch, unless the gradients are not finite, which only the device knows: nobody waits for it.</summary>
    /// <param name="weights">w, changed.</param>
    /// <param name="gradients">g.</param>
    /// <param name="first">m, changed.</param>
    /// <param name="second">v, changed.</param>
    /// <param name="average">a, changed; null for none.</param>
    /// <param name="numbers">Of the step.</param>
    /// <param name="momentum">Of the average.</param>
    /// <param name="notFinite">[] float32 on the device: 1 to change nothing, 0 to take the step.</param>
    public static void TakeIfFinite(
        Tensor weights, Tensor gradients, Tensor first, Tensor second, Tensor? average, AdamWNumbers numbers, double momentum, Tensor notFinite)
    {
        if (weights.numel() == 0) return;
        using var scope = NewDisposeScope();
        _ = Script.Value.invoke<Tensor>("step_if_finite", [.. Arguments(weights, gradients, first, second, numbers), notFinite]);
        // (1 - momentum) where the step is taken, else 0.
        if (average is not null) _ = average.lerp_(weights, notFinite.Subtract(ones_like(notFinite)).Multiply(momentum - 1));
    }

    /// <summary>The moving average alone, of weights that stay as they are.</summary>
    /// <param name="average">a, changed.</param>
    /// <param name="weights">w.</param>
    /// <param name="momentum">Of the average.</param>
    /// <param name="notFinite">As above; null where the host knows that the step is finite.</param>
    public static void Follow(Tensor average, Tensor weights, double momentum, Tensor? notFinite)
    {
        using var scope = NewDisposeScope();
        _ = notFinite is null
            ? average.Lerp_(weights, 1 - momentum)
            : average.lerp_(weights, notFinite.Subtract(ones_like(notFinite)).Multiply(momentum - 1));
    }

    private static object[] Arguments(Tensor weights, Tensor gradients, Tensor first, Tensor second, AdamWNumbers numbers) =>
    [
        weights, gradients, first, second,
        zeros([], float32, weights.device).Fill_(numbers.Step), // the number of this step, filled in on the device
        // a tensor, not numbers: see TensorArithmetic
        tensor(new double[] { numbers.LearningRate, numbers.Beta1, numbers.Beta2, numbers.WeightDecay, numbers.Epsilon }),
    ];

    private static string Function(string name, string parameter, string argument) =>
        $"""
        def {name}(w: Tensor, g: Tensor, m: Tensor, v: Tensor, t: Tensor, numbers: Tensor{parameter}):
            weights = [w]
            torch._fused_adamw_(weights, [g], [m], [v], [], [t], lr=float(numbers[0]), beta1=float(numbers[1]), beta2=float(numbers[2]),
                                weight_decay=float(numbers[3]), eps=float(numbers[4]), amsgrad=False, maximize=False{argument})
            return weights[0]


        """;
}
