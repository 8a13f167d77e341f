using System.Diagnostics;
using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>What this machine multiplies matrices at, in GFLOP/s: with libtorch's operator, and with JepaSharp's tiles, all threads.</summary>
/// <remarks>
/// Both at the size of a ViT-Small's MLP: [2048, 384] times [384, 1536]. The tiles find both factors packed and rounded, and their results are
/// dropped: the ceiling of what any step built on them could reach.
/// </remarks>
internal static class ProductRates
{
    private const int Rows = 2048, Inner = 384, Outer = 1536, RowsAtOnce = 96;
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(1);

    public static (double Library, double Tiles) Measure(Computation computation)
    {
        var library = MatrixProductBenchmark.GigaflopsPerSecond(CPU, computation.Precision, Budget);
        return (library, computation.Products switch
        {
            ProductMethod.Float32 => Tiles<Single32>(),
            ProductMethod.Widened => Tiles<Widened16>(),
            ProductMethod.PairDots => Tiles<Brain16>(),
            _ => library,
        });
    }

    private static unsafe double Tiles<T>()
        where T : struct, IElement
    {
        using NativeBuffer numbers = new(), packed = new(), rows = new();
        var source = numbers.TakeFloats(Outer * Inner);
        for (var i = 0; i < Outer * Inner; i++) source[i] = ((i % 17) - 8) / 8f;
        var weight = new PackedWeight<T>(source, Outer, Inner);
        weight.Forward = packed.Take(weight.ForwardBytes);
        var threads = WorkerThreads.Shared;
        threads.Run(weight.Pieces, (piece, scratch) => weight.Pack(piece, forward: true, backward: false, scratch));
        var left = rows.Take(Rows * Inner * T.Size);
        for (var r = 0; r < Rows; r++) RowFormat.Convert<T>(source + (r % Outer * Inner), Inner, left + (r * Inner * T.Size));

        var pieces = (Rows + RowsAtOnce - 1) / RowsAtOnce;
        var seconds = new List<double>();
        var total = Stopwatch.StartNew();
        while (seconds.Count < 20 || total.Elapsed < Budget)
        {
            var one = Stopwatch.StartNew();
            threads.Run(pieces, (piece, scratch) =>
            {
                var first = piece * RowsAtOnce;
                Products.Multiply<T, Dropped>(
                    left + (first * Inner * T.Size), Inner * T.Size, Math.Min(RowsAtOnce, Rows - first), weight.Forward, weight.ForwardWords, Outer,
                    scratch.TakeFloats(RowsAtOnce * TileProduct.Columns), default, scratch);
            });
            seconds.Add(one.Elapsed.TotalSeconds);
        }

        return 2.0 * Rows * Inner * Outer / Median.Of(seconds) / 1e9;
    }

    private readonly unsafe struct Dropped : IPanelEnd
    {
        public TileEnd? Fuse(int column, ref TileArguments arguments) => null;

        public void Take(float* tile, int rows, int column, int width)
        {
        }
    }
}
