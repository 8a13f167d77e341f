using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives.Diffusion;

/// <summary>Says of noisy images at a step what a network says. x_t [B, 3, S, S] and t float32 [B] -> [B, 3 or 6, S, S].</summary>
/// <param name="noisy">x_t.</param>
/// <param name="steps">t, original numbers.</param>
public delegate Tensor NoisePrediction(Tensor noisy, Tensor steps);

/// <summary>Draws images: from noise, step by step back.</summary>
/// <remarks>
/// Ancestral (Ho et al., 2020, algorithm 2): x_{t-1} = c0 x̂_0 + ct x_t + σ z. DDIM (Song et al., 2021, equation 12): with ε again from x̂_0,
/// <code>
/// σ  = η √((1 - ᾱ') / (1 - ᾱ)) √(1 - ᾱ / ᾱ')           ᾱ' that of the next step, 1 after the last
/// x' = √ᾱ' x̂_0 + √(1 - ᾱ' - σ²) ε + σ z
/// </code>
/// x̂_0 is clamped to -1 to 1. No noise is added by the last step.
/// </remarks>
/// <param name="diffusion">The steps, and what the network says.</param>
public sealed class DiffusionSampler(GaussianDiffusion diffusion)
{
    /// <summary>The steps, and what the network says.</summary>
    public GaussianDiffusion Diffusion { get; } = diffusion;

    /// <summary>Ancestral sampling.</summary>
    /// <param name="network">What is asked at every step.</param>
    /// <param name="start">Noise [B, 3, S, S].</param>
    /// <param name="noise">z of each step in the order that they are taken, from 0: [B, 3, S, S].</param>
    /// <param name="seen">Is told every step's x_{t-1} and x̂_0, if given.</param>
    /// <returns>[B, 3, S, S], -1 to 1 about.</returns>
    public Tensor Ancestral(NoisePrediction network, Tensor start, Func<int, Tensor> noise, Action<Tensor, Tensor>? seen = null)
    {
        ArgumentNullException.ThrowIfNull(noise);
        return Steps(network, start, (output, x, image, steps, turn) =>
        {
            var next = Diffusion.Mean(image, x, steps);
            if (steps[0] == 0) return next;
            var log = Diffusion.LearnsSigma
                ? Diffusion.LogVariance(output.narrow(1, 3, 3), steps)
                : GaussianDiffusion.Of(t => Diffusion.Schedule.LogFixedVariances[t], steps, x.device);
            return next.Add(log.Multiply(0.5).exp().mul(noise(turn)));
        }, seen);
    }

    /// <summary>DDIM.</summary>
    /// <param name="network">What is asked at every step.</param>
    /// <param name="start">Noise [B, 3, S, S].</param>
    /// <param name="eta">η: 0 adds no noise; 1 adds as much as ancestral sampling.</param>
    /// <param name="noise">z of each step in the order that they are taken, from 0; null where η is 0.</param>
    /// <param name="seen">Is told every step's x and x̂_0, if given.</param>
    /// <returns>[B, 3, S, S], -1 to 1 about.</returns>
    public Tensor Implicit(
        NoisePrediction network, Tensor start, double eta = 0, Func<int, Tensor>? noise = null, Action<Tensor, Tensor>? seen = null)
    {
        if (eta != 0) ArgumentNullException.ThrowIfNull(noise);
        var table = Diffusion.Schedule.AlphaBars;
        return Steps(network, start, (_, x, image, steps, turn) =>
        {
            var (now, next) = (table[steps[0]], steps[0] == 0 ? 1 : table[steps[0] - 1]);
            var sigma = eta * Math.Sqrt((1 - next) / (1 - now)) * Math.Sqrt(1 - (now / next));
            var derived = x.Multiply(Math.Sqrt(1 / now)).Subtract(image).Multiply(1 / Math.Sqrt((1 / now) - 1));
            var moved = image.Multiply(Math.Sqrt(next)).Add(derived.Multiply(Math.Sqrt(Math.Max(0, 1 - next - (sigma * sigma)))));
            return sigma == 0 || steps[0] == 0 ? moved : moved.Add(noise!(turn).Multiply(sigma));
        }, seen);
    }

    private delegate Tensor StepBack(Tensor output, Tensor noisy, Tensor image, IReadOnlyList<int> steps, int turn);

    private Tensor Steps(NoisePrediction network, Tensor start, StepBack back, Action<Tensor, Tensor>? seen)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(start);
        using var untracked = no_grad();
        using var scope = NewDisposeScope();
        var x = start.alias();
        for (var (t, turn) = (Diffusion.Schedule.Count - 1, 0); t >= 0; t--, turn++)
        {
            using var inner = NewDisposeScope();
            int[] steps = [.. Enumerable.Repeat(t, (int)start.shape[0])];
            var output = network(x, Diffusion.Told(steps, start.device));
            var image = Diffusion.Image(output.narrow(1, 0, 3), x, steps).clone().Clamp_(-1, 1);
            var next = back(output, x, image, steps, turn);
            seen?.Invoke(next, image);
            x.Dispose();
            x = next.MoveToOuterDisposeScope();
        }

        return x.MoveToOuterDisposeScope();
    }
}
