using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Brings a table of relative positions to another grid, as BEiT and data2vec do it.</summary>
/// <remarks>
/// The differences of the old grid are thought to lie ever further apart, 1, 1 + q, 1 + q + q², ..., so that their ends meet those of the new grid,
/// and the numbers between are those of the cubic spline through them (not-a-knot), rows and columns each by itself. Differences beyond the ends
/// have the ends' numbers. Deviation: the published program knows square grids alone; here each axis has a q of its own.
/// </remarks>
public static class RelativeTableResizing
{
    private const double LeastRatio = 1.01, GreatestRatio = 1.5, Precision = 1e-6;
    private const int FewestPoints = 4; // of a cubic

    /// <summary>A table for another grid, with gradients to the first. [R, A] -> [R', A]; the class token's rows stay as they are.</summary>
    /// <param name="table">float32 [(2 h - 1)(2 w - 1) + 3, A].</param>
    /// <param name="from">h and w.</param>
    /// <param name="to">Those of the new grid.</param>
    /// <exception cref="ArgumentException">A side of fewer than three patches would have to be resized: there is no cubic spline.</exception>
    public static Tensor Resize(Tensor table, (int Height, int Width) from, (int Height, int Width) to)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (from == to) return table.alias();
        using var scope = NewDisposeScope();
        long rows = (2 * from.Height) - 1, columns = (2 * from.Width) - 1, heads = table.shape[1];
        var differences = table.narrow(0, 0, rows * columns);
        var down = AlongAxis(from.Height, to.Height, table.device).matmul(differences.reshape(rows, columns * heads));
        var both = AlongAxis(from.Width, to.Width, table.device).matmul(down.view(-1, columns, heads));
        return cat([both.reshape(-1, heads), table.narrow(0, rows * columns, RelativePositionBias.ClassRows)]).MoveToOuterDisposeScope();
    }

    /// <summary>What each old difference weighs in each new one. float32 [2 after - 1, 2 before - 1].</summary>
    private static Tensor AlongAxis(int before, int after, Device device)
    {
        var (old, count) = ((2 * before) - 1, (2 * after) - 1);
        if (before == after) return eye(old, dtype: float32, device: device);
        if (old < FewestPoints)
            throw new ArgumentException(
                $"Relative positions of {before} patches a side cannot be brought to {after}: a cubic spline needs a side of three or more.");
        var places = PlacesOf(before, after);
        var weights = new float[count * old];
        for (var i = 0; i < count; i++)
        {
            var at = Math.Clamp(i - (after - 1), places[0], places[^1]);
            CubicSpline.Weights(places, at).Select(w => (float)w).ToArray().CopyTo(weights, i * old);
        }

        return tensor(weights, [count, old], device: device);
    }

    /// <summary>Where the old differences lie among the new: 0, ±1, ±(1 + q), ...</summary>
    private static double[] PlacesOf(int before, int after)
    {
        var (low, high, ratio) = (LeastRatio, GreatestRatio, LeastRatio);
        while (high - low > Precision)
        {
            ratio = (low + high) / 2;
            var end = (1 - Math.Pow(ratio, before - 1)) / (1 - ratio);
            if (end > after - 1) high = ratio;
            else low = ratio;
        }

        var places = new double[(2 * before) - 1];
        for (var i = 1; i < before; i++)
        {
            places[before - 1 + i] = places[before - 2 + i] + Math.Pow(ratio, i - 1);
            places[before - 1 - i] = -places[before - 1 + i];
        }

        return places;
    }
}

/// <summary>The cubic spline through points, whose third derivative is continuous at the second and the last but one too (not-a-knot).</summary>
internal static class CubicSpline
{
    /// <summary>What each point's value weighs in the spline's at a place.</summary>
    /// <param name="points">Ascending, four or more.</param>
    /// <param name="at">Between the first and the last.</param>
    public static double[] Weights(double[] points, double at)
    {
        var count = points.Length;
        var curvatures = Curvatures(points);
        var part = Math.Clamp(Array.FindLastIndex(points, p => p <= at), 0, count - 2);
        var width = points[part + 1] - points[part];
        double left = (points[part + 1] - at) / width, right = (at - points[part]) / width;
        var weights = new double[count];
        for (var j = 0; j < count; j++)
        {
            // With second derivatives m: s = l y₀ + r y₁ + ((l³ - l) m₀ + (r³ - r) m₁) h² / 6.
            weights[j] = (((left * left * left) - left) * curvatures[part, j] + ((right * right * right) - right) * curvatures[part + 1, j])
                * width * width / 6;
        }

        weights[part] += left;
        weights[part + 1] += right;
        return weights;
    }

    /// <summary>Second derivatives at the points, as sums over the values: [points, points].</summary>
    private static double[,] Curvatures(double[] points)
    {
        var count = points.Length;
        double Step(int i) => points[i + 1] - points[i];
        var (left, right) = (new double[count, count], new double[count, count]);
        for (var i = 1; i < count - 1; i++)
        {
            (left[i, i - 1], left[i, i], left[i, i + 1]) = (Step(i - 1), 2 * (Step(i - 1) + Step(i)), Step(i));
            (right[i, i - 1], right[i, i + 1]) = (6 / Step(i - 1), 6 / Step(i));
            right[i, i] = -right[i, i - 1] - right[i, i + 1];
        }

        // (m₁ - m₀) / h₀ = (m₂ - m₁) / h₁, and so at the other end.
        (left[0, 0], left[0, 1], left[0, 2]) = (Step(1), -(Step(0) + Step(1)), Step(0));
        var last = count - 1;
        (left[last, last - 2], left[last, last - 1], left[last, last]) = (Step(last - 1), -(Step(last - 2) + Step(last - 1)), Step(last - 2));
        return Solved(left, right);
    }

    /// <summary>X of L X = R, by elimination with the largest pivots; both are changed.</summary>
    private static double[,] Solved(double[,] left, double[,] right)
    {
        var count = left.GetLength(0);
        for (var column = 0; column < count; column++)
        {
            var pivot = Enumerable.Range(column, count - column).MaxBy(row => Math.Abs(left[row, column]));
            for (var j = 0; j < count; j++)
            {
                (left[column, j], left[pivot, j]) = (left[pivot, j], left[column, j]);
                (right[column, j], right[pivot, j]) = (right[pivot, j], right[column, j]);
            }

            for (var row = 0; row < count; row++)
            {
                var factor = left[row, column] / left[column, column];
                if (row == column || factor == 0) continue;
                for (var j = 0; j < count; j++)
                {
                    left[row, j] -= factor * left[column, j];
                    right[row, j] -= factor * right[column, j];
                }
            }
        }

        for (var row = 0; row < count; row++)
        {
            for (var j = 0; j < count; j++) right[row, j] /= left[row, row];
        }

        return right;
    }
}
