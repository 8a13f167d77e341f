using JepaSharp.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models.Accelerated;

/// <summary>An affine layer that runs on the CPU kernels.</summary>
internal sealed unsafe class AcceleratedDense : IDisposable
{
    private readonly ParameterHandles _handles;
    private readonly IDenseKernel _kernel;
    private readonly int _outputs;
    private readonly bool _trained;

    public AcceleratedDense(Dense dense, Computation computation, bool trained)
    {
        _trained = trained;
        _handles = new ParameterHandles(trained);
        var memory = _handles.Of(dense);
        _outputs = memory.Outputs;
        _kernel = computation.Products switch
        {
            ProductMethod.PairDots => new DenseKernel<Brain16>(memory, trained, WorkerThreads.Shared),
            ProductMethod.Widened => new DenseKernel<Widened16>(memory, trained, WorkerThreads.Shared),
            ProductMethod.AmxTiles => new DenseKernel<Tiled16>(memory, trained, WorkerThreads.Shared),
            _ => new DenseKernel<Single32>(memory, trained, WorkerThreads.Shared),
        };
        _kernel.Refresh();
    }

    /// <summary>Packs the weight as it is now.</summary>
    public void Refresh() => _kernel.Refresh();

    /// <summary>Whether it can run here: without gradients, or with a tape to record on.</summary>
    public bool CanRun(Tensor x) => GradientTape.Allows(_trained, x);

    /// <summary>[..., in] -> [..., out], float32.</summary>
    /// <param name="x">Numbers of any type.</param>
    /// <param name="table">float32 [count, out], rows of which are added; null for none. No gradient reaches it.</param>
    /// <param name="chosen">int64 [rows]: which row of the table to add to each; null: one after the other, over and over.</param>
    public Tensor Forward(Tensor x, Tensor? table = null, Tensor? chosen = null)
    {
        var input = x.to(float32).contiguous();
        var width = input.shape[^1];
        return Forward(input, new ConsecutiveRows(TensorMemory.Floats(input), (int)width), null, [.. input.shape[..^1]], table, chosen);
    }

    /// <summary>Patches of images, read where they lie, each an input row [C P P]: [B, C, H, W] -> [B, N, out], or [rows, out] of chosen
    /// ones.</summary>
    /// <param name="images">Numbers of any type, in any order of memory. No gradient reaches them.</param>
    /// <param name="patch">P; divides H and W.</param>
    /// <param name="table">As in <see cref="Forward(Tensor, Tensor?, Tensor?)"/>.</param>
    /// <param name="chosen">Which patches; null for all, in order.</param>
    public Tensor ForwardPatches(Tensor images, int patch, Tensor table, PatchSelection? chosen)
    {
        var input = images.to(float32);
        var s = input.shape;
        // Decoded images have their channels last, and stay so.
        var channelsLast = !input.is_contiguous();
        if (channelsLast) input = input.permute(0, 2, 3, 1).contiguous();
        var (channels, height, width) = ((int)s[1], (nint)s[2], (nint)s[3]);
        var strides = channelsLast
            ? new ImageStrides(height * width * channels, Channel: 1, width * channels, Pixel: channels)
            : new ImageStrides(height * width * channels, height * width, width, Pixel: 1);
        var (down, across) = ((int)height / patch, (int)width / patch);
        var rows = new PatchRows(
            TensorMemory.Floats(input), strides, channels, patch, down, across, chosen is null ? null : TensorMemory.Integers(chosen.Rows));
        long[] leading = chosen is null ? [s[0], (long)down * across] : [chosen.Rows.numel()];
        return Forward(input, rows, chosen?.Rows, leading, table, chosen?.Patches);
    }

    /// <param name="input">What <paramref name="source"/> reads.</param>
    /// <param name="source">The input rows.</param>
    /// <param name="read">What it reads beside; null for nothing.</param>
    /// <param name="leading">The output's shape but for its last axis.</param>
    /// <param name="table">As above.</param>
    /// <param name="chosen">As above.</param>
    private Tensor Forward(Tensor input, RowSource source, Tensor? read, long[] leading, Tensor? table, Tensor? chosen)
    {
        var rows = (nint)leading.Aggregate(1L, (product, n) => product * n);
        var output = empty([.. leading, _outputs], float32, CPU);
        var added = table is null ? default : new RowTable(
            TensorMemory.Floats(table), (nint)table.shape[0], chosen is null ? null : TensorMemory.Integers(chosen));
        _kernel.Forward(source, rows, TensorMemory.Floats(output), added);
        if (!is_grad_enabled() || GradientTape.Current is not { } tape || !_trained) return output;

        var (wanted, shape) = (input.requires_grad, input.shape);
        // Backward reads where the indices say, and whoever drew them may be done with them by then.
        var kept = read?.alias().DetachFromDisposeScope();
        return tape.Record(input, output, Backward, () => kept?.Dispose());
        Tensor? Backward(Tensor gradient)
        {
            var inward = wanted ? empty(shape, float32, CPU) : null;
            _kernel.Backward(source, rows, TensorMemory.Floats(gradient), inward is null ? null : TensorMemory.Floats(inward));
            kept?.Dispose();
            return inward;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _handles.Dispose();
    }
}

/// <summary>Where a tensor's numbers lie.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The first number of a float32 tensor in main memory whose numbers lie one after the other.</summary>
    /// <remarks>Valid as long as libtorch keeps the tensor's memory: hold a handle to it.</remarks>
    /// <exception cref="ArgumentException">It is none such.</exception>
    public static float* Floats(Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Float32 || tensor.device_type != DeviceType.CPU || !tensor.is_contiguous())
            throw new ArgumentException(
                $"Expected contiguous float32 in main memory, found {tensor.dtype} [{string.Join(", ", tensor.shape)}] on {tensor.device_type}.",
                nameof(tensor));
        return (float*)First(tensor);
    }

    /// <summary>The first number of an int64 tensor in main memory whose numbers lie one after the other.</summary>
    /// <exception cref="ArgumentException">It is none such.</exception>
    public static long* Integers(Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Int64 || tensor.device_type != DeviceType.CPU || !tensor.is_contiguous())
            throw new ArgumentException(
                $"Expected contiguous int64 in main memory, found {tensor.dtype} [{string.Join(", ", tensor.shape)}] on {tensor.device_type}.",
                nameof(tensor));
        return (long*)First(tensor);
    }

    private static byte* First(Tensor tensor)
    {
        // A tensor may be longer than a span.
        if (tensor.numel() > int.MaxValue / sizeof(long))
        {
            using var one = tensor.view(-1).narrow(0, 0, 1);
            fixed (byte* first = one.bytes) return first;
        }

        fixed (byte* first = tensor.bytes) return first;
    }
}
