using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>How far samples are from a standard normal distribution, direction by direction: Epps and Pulley's statistic of their characteristic
/// function.</summary>
/// <remarks>
/// Epps and Pulley, "A test for normality based on the empirical characteristic function", 1983; Balestriero and LeCun, arXiv 2511.08544, section 4.
/// Of N samples x, with knots t_j = j Δ from 0 to the largest, φ_j = exp(-t_j² / 2), C_j and S_j the means of cos(t_j x) and sin(t_j x), and
/// trapezoid weights w_j = 2 Δ, but Δ at the last (the integral over both signs of t, by symmetry):
/// <code>
/// T        = N Σ_j w_j φ_j [(C_j - φ_j)² + S_j²]
/// ∂T/∂x_n  = 2 Σ_j w_j φ_j t_j [S_j cos(t_j x_n) - (C_j - φ_j) sin(t_j x_n)]
/// </code>
/// Samples are neither centred nor scaled. Samples of a normal distribution have T = 1.05 on average, whatever N; samples that are all 0 have
/// T = 0.402 N, and a gradient of 0.
/// </remarks>
public static class SketchedStatistic
{
    /// <summary>T of each direction.</summary>
    /// <param name="samples">float32 [..., N, M]: N samples in each of M directions.</param>
    /// <param name="knots">q, odd.</param>
    /// <param name="largest">The largest knot.</param>
    /// <returns>float32 [..., M], with gradients where the samples have any.</returns>
    public static Tensor Of(Tensor samples, int knots = 17, double largest = 3)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfLessThan(knots, 3);
        using var scope = NewDisposeScope();
        var withGradient = is_grad_enabled() && samples.requires_grad;
        var (value, gradient) = Computed(samples.detach(), knots, largest, withGradient);
        if (gradient is null) return value.MoveToOuterDisposeScope();
        // A sum whose value is 0 and whose gradient is that of T: no knot is kept for the backward pass.
        var linear = samples.mul(gradient).sum([-2L]);
        return value.Add(linear.Subtract(linear.detach())).MoveToOuterDisposeScope();
    }

    /// <summary>T [..., M], and ∂T/∂x [..., N, M] where it is wanted. At t = 0 the bracket is 0: that knot is left out.</summary>
    private static (Tensor Value, Tensor? Gradient) Computed(Tensor x, int knots, double largest, bool withGradient)
    {
        using var untracked = no_grad();
        var (count, spacing) = (x.shape[^2], largest / (knots - 1));
        long[] overSamples = [-2L];
        var value = zeros([.. x.shape[..^2], 1, x.shape[^1]], x.dtype, x.device);
        var gradient = withGradient ? zeros_like(x) : null;
        for (var j = 1; j < knots; j++)
        {
            using var inner = NewDisposeScope();
            var t = j * spacing;
            var target = Math.Exp(-t * t / 2);
            var weight = (j == knots - 1 ? spacing : 2 * spacing) * target;
            var angles = x.Multiply(t);
            var (cosines, sines) = (angles.cos(), angles.sin_());
            var real = cosines.mean(overSamples, keepdim: true).Subtract(tensor(target, x.dtype, x.device));
            var imaginary = sines.mean(overSamples, keepdim: true);
            _ = value.Add_(real.square().Add_(imaginary.square()).Multiply_(count * weight));
            if (gradient is null) continue;
            _ = gradient.Add_(cosines.mul_(imaginary.Multiply(2 * weight * t)));
            _ = gradient.Add_(sines.mul_(real.Multiply(-2 * weight * t)));
        }

        return (value.squeeze(-2), gradient);
    }
}

/// <summary>Draws the directions in which samples are looked at.</summary>
/// <param name="step">What is drawn is keyed by it.</param>
/// <param name="dimensions">K.</param>
/// <param name="count">M.</param>
/// <returns>float32 [K, M] on the CPU, every column of length 1; the caller's.</returns>
public delegate Tensor DirectionDraw(Step step, int dimensions, int count);

/// <summary>Directions that are uniform on the sphere, keyed by the step's first micro-batch.</summary>
public static class RandomDirections
{
    /// <summary>Normal numbers, each column divided by its length: a <see cref="DirectionDraw"/>.</summary>
    /// <param name="step">What is drawn is keyed by it.</param>
    /// <param name="dimensions">K.</param>
    /// <param name="count">M.</param>
    /// <returns>float32 [K, M].</returns>
    public static Tensor Draw(Step step, int dimensions, int count)
    {
        ArgumentNullException.ThrowIfNull(step);
        var random = step.Random();
        var numbers = new float[dimensions * count];
        var lengths = new double[count];
        for (var i = 0; i < numbers.Length; i++)
        {
            var number = random.NextGaussian();
            numbers[i] = (float)number;
            lengths[i % count] += number * number;
        }

        for (var i = 0; i < numbers.Length; i++) numbers[i] = (float)(numbers[i] / Math.Sqrt(lengths[i % count]));
        return tensor(numbers, [dimensions, count]);
    }
}
