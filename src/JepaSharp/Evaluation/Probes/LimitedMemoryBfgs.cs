namespace JepaSharp.Evaluation.Probes;

/// <summary>Minimises a smooth function of many variables from its gradient: L-BFGS with a weak Wolfe line search.</summary>
/// <remarks>Nocedal and Wright, Numerical Optimization (2006), algorithms 7.4 and 7.5; the line search is bisection (Lewis and Overton,
/// 2013).</remarks>
internal static class LimitedMemoryBfgs
{
    private const int History = 10, LongestSearch = 40;
    private const double SufficientDecrease = 1e-4, Curvature = 0.9;

    /// <summary>Value at <paramref name="point"/>; writes the gradient there.</summary>
    public delegate double Objective(ReadOnlySpan<double> point, Span<double> gradient);

    /// <summary>Moves <paramref name="point"/> to a minimum; stops when no component of the gradient exceeds the tolerance, or at the last
    /// iteration.</summary>
    /// <returns>Whether the tolerance was reached.</returns>
    public static bool Minimise(Objective objective, double[] point, double tolerance, int iterations)
    {
        var n = point.Length;
        var (gradient, nextPoint, nextGradient, direction) = (new double[n], new double[n], new double[n], new double[n]);
        var pairs = new List<(double[] Step, double[] Change, double Product)>();
        var value = objective(point, gradient);
        for (var iteration = 0; iteration < iterations; iteration++)
        {
            if (Largest(gradient) <= tolerance) return true;
            Direction(gradient, pairs, direction);
            var slope = Dot(gradient, direction);
            if (slope >= 0)
            {
                // The curvature memory misleads: begin again with the steepest descent.
                pairs.Clear();
                Direction(gradient, pairs, direction);
                slope = Dot(gradient, direction);
            }

            double size = pairs.Count == 0 ? Math.Min(1, 1 / Math.Sqrt(-slope)) : 1, low = 0, high = double.PositiveInfinity;
            var nextValue = value;
            for (var search = 0; search < LongestSearch; search++)
            {
                for (var i = 0; i < n; i++) nextPoint[i] = point[i] + (size * direction[i]);
                nextValue = objective(nextPoint, nextGradient);
                if (!(nextValue <= value + (SufficientDecrease * size * slope))) high = size;
                else if (Dot(nextGradient, direction) < Curvature * slope) low = size;
                else break;
                size = double.IsPositiveInfinity(high) ? 2 * size : (low + high) / 2;
            }

            if (!(nextValue < value)) return Largest(gradient) <= tolerance; // at the limit of the arithmetic
            var (step, change) = (new double[n], new double[n]);
            for (var i = 0; i < n; i++) (step[i], change[i]) = (nextPoint[i] - point[i], nextGradient[i] - gradient[i]);
            var product = Dot(step, change);
            if (product > 0)
            {
                if (pairs.Count == History) pairs.RemoveAt(0);
                pairs.Add((step, change, product));
            }

            nextPoint.CopyTo(point.AsSpan());
            nextGradient.CopyTo(gradient.AsSpan());
            value = nextValue;
        }

        return Largest(gradient) <= tolerance;
    }

    /// <summary>Two-loop recursion: minus the approximate inverse Hessian times the gradient.</summary>
    private static void Direction(double[] gradient, List<(double[] Step, double[] Change, double Product)> pairs, double[] direction)
    {
        for (var i = 0; i < direction.Length; i++) direction[i] = -gradient[i];
        var weights = new double[pairs.Count];
        for (var p = pairs.Count - 1; p >= 0; p--)
        {
            weights[p] = Dot(pairs[p].Step, direction) / pairs[p].Product;
            Add(direction, pairs[p].Change, -weights[p]);
        }

        if (pairs.Count > 0)
        {
            var scale = pairs[^1].Product / Dot(pairs[^1].Change, pairs[^1].Change);
            for (var i = 0; i < direction.Length; i++) direction[i] *= scale;
        }

        for (var p = 0; p < pairs.Count; p++)
            Add(direction, pairs[p].Step, weights[p] - (Dot(pairs[p].Change, direction) / pairs[p].Product));
    }

    private static void Add(double[] to, double[] what, double times)
    {
        for (var i = 0; i < to.Length; i++) to[i] += times * what[i];
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    private static double Largest(double[] values)
    {
        var largest = 0.0;
        foreach (var value in values) largest = Math.Max(largest, Math.Abs(value));
        return largest;
    }
}
