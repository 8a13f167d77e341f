using JepaSharp.Kernels.MachineCode;

namespace JepaSharp.Benchmarks.Amx;

/// <summary>The AMX products of this processor against sums in float64, and against the vector products' ends.</summary>
internal static unsafe class AmxCheck
{
    private const int MostRows = 96, MostWords = 200;

    /// <summary>Says what was compared, and how far apart it was at most.</summary>
    /// <returns>Whether all of it agrees.</returns>
    public static bool Run(TileRun amx, TileRun vectors)
    {
        Console.WriteLine("## Correctness\n");
        Console.WriteLine("Float ends: the largest |result - sum in float64|, over the sum of the products' absolute values. Ends in bfloat16:");
        Console.WriteLine("the largest distance from the vector products' results, in 1/256 of their size (rounding alone may give 1).\n");
        Console.WriteLine("| layout | end | products | largest | |\n|---|---|---|---|---|");
        var agrees = true;
        foreach (var end in Enum.GetValues<TileEnd>())
        {
            foreach (var layout in (LeftLayout[])[LeftLayout.Rows, LeftLayout.Panel])
            {
                if (layout == LeftLayout.Panel && end is not (TileEnd.Store or TileEnd.Accumulate)) continue;
                var (count, largest) = Compare(amx, vectors, layout, end);
                var fits = largest < (IsFloat(end) ? 1e-5 : 1.5);
                agrees &= fits;
                Console.WriteLine($"| {layout} | {end} | {count} | {largest:g3} | {(fits ? "" : "**too far**")} |");
            }
        }

        return agrees;
    }

    private static (int Count, double Largest) Compare(TileRun amx, TileRun vectors, LeftLayout layout, TileEnd end)
    {
        var (count, largest) = (0, 0.0);
        for (var words = 1; words <= MostWords; words++)
        {
            foreach (var most in (int[])[MostRows, 48, 32, 17, 5])
            {
                var rows = 1 + ((words * 7) % Math.Min(most, layout == LeftLayout.Panel ? TileProduct.Columns : MostRows));
                using TileFactors one = new(rows, words, 1, layout), other = new(rows, words, 1, layout);
                TileArguments a = one.Arguments(0, 0, end), b = other.Arguments(0, 0, end);
                amx(rows, layout, end, ref a);
                vectors(rows, layout, end, ref b);
                largest = Math.Max(largest, IsFloat(end) ? FromOracle(one, end) : Apart(one, other));
                count++;
            }
        }

        return (count, largest);
    }

    private static double FromOracle(TileFactors product, TileEnd end)
    {
        var largest = 0.0;
        for (var r = 0; r < product.Rows; r++)
        {
            for (var c = 0; c < TileProduct.Columns; c++)
            {
                var (sum, size) = product.Oracle(r, c);
                if (end is TileEnd.Accumulate or TileEnd.BiasBeside) sum += 0.25;
                if (end is TileEnd.Bias or TileEnd.BiasBeside) sum += product.Bias[c];
                var apart = Math.Abs(product.Result[(r * TileProduct.Columns) + c] - sum) / size;
                largest = double.IsNaN(apart) ? double.PositiveInfinity : Math.Max(largest, apart);
            }
        }

        return largest;
    }

    private static double Apart(TileFactors one, TileFactors other)
    {
        var largest = 0.0;
        foreach (var (a, b) in ((nint, nint)[])[((nint)one.Result, (nint)other.Result), ((nint)one.Beside, (nint)other.Beside)])
        {
            for (var i = 0; i < one.Rows * TileProduct.Columns; i++)
            {
                float x = TileFactors.Value(((ushort*)a)[i]), y = TileFactors.Value(((ushort*)b)[i]);
                // What is nearly nothing beside the products of which it is the sum has no size of its own.
                var apart = Math.Abs(x - y) / (Math.Max(Math.Abs(x), Math.Abs(y)) + 1e-2) * 256;
                largest = double.IsNaN(apart) ? double.PositiveInfinity : Math.Max(largest, apart);
            }
        }

        return largest;
    }

    private static bool IsFloat(TileEnd end) => end is TileEnd.Store or TileEnd.Accumulate or TileEnd.Bias or TileEnd.BiasBeside;
}
