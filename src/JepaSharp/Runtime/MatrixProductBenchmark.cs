using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Runtime;

/// <summary>Measures how fast matrix products are at a size that a Vision Transformer's MLP has: the ceiling of a training step.</summary>
/// <remarks>
/// Tokens [M, K] times weights [N, K] transposed, as every linear layer does it; 2 M K N operations. The median of the timings counts.
/// </remarks>
public static class MatrixProductBenchmark
{
    private const int Rows = 2048, Inner = 384, Outer = 1536;

    /// <summary>Billions of floating-point operations a second.</summary>
    /// <param name="device">Where to multiply.</param>
    /// <param name="precision">Type of the factors: float32 or bfloat16.</param>
    /// <param name="budget">About how long to measure; at least three products are made.</param>
    public static double GigaflopsPerSecond(Device device, ScalarType precision, TimeSpan budget)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var scale = device.type == DeviceType.CUDA ? 4 : 1;
        var (rows, inner, outer) = (Rows * scale, Inner * scale, Outer * scale);
        var tokens = linspace(-1, 1, (long)rows * inner, device: device).reshape(rows, inner).to(precision);
        var weights = linspace(-1, 1, (long)outer * inner, device: device).reshape(outer, inner).to(precision);
        Multiply(tokens, weights, device); // warm-up: threads start, memory is touched

        var seconds = new List<double>();
        var total = Stopwatch.StartNew();
        while (seconds.Count < 3 || total.Elapsed < budget)
        {
            var one = Stopwatch.StartNew();
            Multiply(tokens, weights, device);
            seconds.Add(one.Elapsed.TotalSeconds);
        }

        seconds.Sort();
        return 2.0 * rows * inner * outer / seconds[seconds.Count / 2] / 1e9;
    }

    private static void Multiply(Tensor tokens, Tensor weights, Device device)
    {
        using var product = nn.functional.linear(tokens, weights);
        if (device.type == DeviceType.CUDA) cuda.synchronize(device);
    }
}
