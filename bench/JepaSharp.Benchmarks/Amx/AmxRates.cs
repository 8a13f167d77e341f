using System.Diagnostics;
using JepaSharp.Benchmarks.Steps;
using JepaSharp.Kernels;
using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Benchmarks.Amx;

/// <summary>What the tiles multiply at, on one core and on all: AMX, the bfloat16 dot product of vectors, and float32 of vectors.</summary>
internal static class AmxRates
{
    private const int RowsAtOnce = 96;
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(0.3);

    private static readonly (string Name, int Rows, int Inner, int Outer, TileEnd End)[] Products =
    [
        ("ViT-Tiny, expand, GELU", 2048, 192, 768, TileEnd.BiasGelu),
        ("ViT-Tiny, contract, residual", 2048, 768, 192, TileEnd.BiasBeside),
        ("ViT-Small, expand, GELU", 2048, 384, 1536, TileEnd.BiasGelu),
        ("ViT-Base, query key value", 2048, 768, 2304, TileEnd.BiasRound),
        ("ViT-Base, expand, stored", 2048, 768, 3072, TileEnd.Store),
        ("ViT-Base, expand, GELU", 2048, 768, 3072, TileEnd.BiasGelu),
        ("ViT-Base, expand, GELU, kept", 2048, 768, 3072, TileEnd.BiasKeepGelu),
        ("ViT-Base, contract, residual", 2048, 3072, 768, TileEnd.BiasBeside),
        ("attention, scores", 196, 64, 224, TileEnd.Store),
        ("attention, values, 196 tokens", 196, 196, 64, TileEnd.Round),
        ("attention, values, 62 tokens", 62, 62, 64, TileEnd.Round),
        ("32 rows and 5 of other shapes, by turns", 37, 64, 64, TileEnd.Accumulate),
    ];

    /// <summary>Prints a table.</summary>
    public static void Run(TileRun amx, TileRun pairs, TileRun singles)
    {
        var threads = WorkerThreads.Shared;
        Console.WriteLine("\n## Rates\n\nGFLOP/s of one core, and of all threads together, from cache.");
        Console.WriteLine("float32 has half the numbers in the same bytes.\n");
        Console.WriteLine("| product | AMX | bfloat16 | float32 | AMX to bfloat16 | AMX, all threads | bfloat16, all threads |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var (name, rows, inner, outer, end) in Products)
        {
            using var factors = new TileFactors(rows, inner / 2, outer / TileProduct.Columns);
            var alone = new WorkerThreads(1);
            var (tiles, vectors) = (Rate(factors, amx, end, alone, 2), Rate(factors, pairs, end, alone, 2));
            var floats = Rate(factors, singles, end is TileEnd.BiasBeside or TileEnd.Bias ? end : TileEnd.Store, alone, 1);
            var (all, allVectors) = (Rate(factors, amx, end, threads, 2), Rate(factors, pairs, end, threads, 2));
            Console.WriteLine(
                $"| {name} [{rows}, {inner}] x [{inner}, {outer}] | {tiles:f0} | {vectors:f0} | {floats:f0} | {tiles / vectors:f1} | {all:f0} | "
                    + $"{allVectors:f0} |");
        }

        Gradients(amx, pairs);
    }

    /// <summary>Gradients of weights: panels times panels, once as they come and once with the left one's tiles made before.</summary>
    private static unsafe void Gradients(TileRun amx, TileRun pairs)
    {
        const int Words = 512, Panels = 24;
        using var factors = new TileFactors(TileProduct.Columns, Words, Panels, LeftLayout.Panel);
        using var buffer = new NativeBuffer();
        var tiles = buffer.Take(LeftTiles.Bytes(Words, 2));
        void Plain(TileRun run)
        {
            for (var panel = 0; panel < Panels; panel++)
            {
                var arguments = factors.Arguments(0, panel, TileEnd.Accumulate);
                run(TileProduct.Columns, LeftLayout.Panel, TileEnd.Accumulate, ref arguments);
            }
        }

        var products = new AmxTileProducts(AmxCode.Placed);
        void Prepared()
        {
            LeftTiles.Write(AmxCode.Placed, factors.Left, Words, tiles, 2);
            for (var panel = 0; panel < Panels; panel++)
            {
                var arguments = factors.Arguments(0, panel, TileEnd.Accumulate);
                arguments.Left = tiles;
                products.RunTiles(TileProduct.Columns, TileEnd.Accumulate, arguments);
            }
        }

        const double Operations = 2.0 * 32 * 32 * 2 * Words * Panels;
        double Per(Action work) => Operations / Seconds(work) / 1e9;
        Console.WriteLine(
            $"\nGradients of weights, 32 outputs x {Panels * 32} inputs over {2 * Words} tokens: AMX with the left panel transposed once "
                + $"{Per(Prepared):f0} GFLOP/s, for every right panel anew {Per(() => Plain(amx)):f0}; "
                + $"bfloat16 vectors {Per(() => Plain(pairs)):f0}.");
    }

    private static double Rate(TileFactors factors, TileRun run, TileEnd end, WorkerThreads threads, int perWord)
    {
        var pieces = (factors.Rows + RowsAtOnce - 1) / RowsAtOnce;
        var seconds = Seconds(() => threads.Run(pieces, (piece, _) =>
        {
            var first = piece * RowsAtOnce;
            for (var panel = 0; panel < factors.Panels; panel++)
            {
                var arguments = factors.Arguments(first, panel, end);
                run(Math.Min(RowsAtOnce, factors.Rows - first), LeftLayout.Rows, end, ref arguments);
            }
        }));
        return 2.0 * factors.Rows * perWord * factors.Words * factors.Panels * TileProduct.Columns / seconds / 1e9;
    }

    private static double Seconds(Action work)
    {
        var seconds = new List<double>();
        var total = Stopwatch.StartNew();
        while (seconds.Count < 20 || total.Elapsed < Budget)
        {
            var one = Stopwatch.StartNew();
            work();
            seconds.Add(one.Elapsed.TotalSeconds);
        }

        return Median.Of(seconds);
    }
}
