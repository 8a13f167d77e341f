using JepaSharp.Configuration;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives.Diffusion;

/// <summary>Noise put onto images, and how far a network is from knowing it: the loss of a diffusion model.</summary>
/// <remarks>
/// Ho et al., 2020, equation 14, the mean of (ε - ε̂)²; or of (x_0 - x̂_0)², where the image is predicted. With a learned variance (Nichol and
/// Dhariwal, 2021, section 3.1) the bound of the likelihood is added, in bits and unweighted, in which the mean is not learned from:
/// log σ² = f log β_t + (1 - f) log β̃_t, f = (v + 1) / 2. Images are -1 to 1; [B, 3, S, S] everywhere.
/// </remarks>
/// <param name="schedule">How much noise each step adds.</param>
/// <param name="predicts">What the network's first three channels are.</param>
/// <param name="learnsSigma">Whether it has three more, for the variance.</param>
public sealed class GaussianDiffusion(NoiseSchedule schedule, DiffusionTarget predicts, bool learnsSigma)
{
    private const double OutermostBin = 0.999, HalfABin = 1 / 255.0, LeastLikelihood = 1e-12, TanhCube = 0.044715;

    /// <summary>How much noise each step adds.</summary>
    public NoiseSchedule Schedule { get; } = schedule;

    /// <summary>What the network's first three channels are.</summary>
    public DiffusionTarget Predicts { get; } = predicts;

    /// <summary>Whether it has three more, for the variance.</summary>
    public bool LearnsSigma { get; } = learnsSigma;

    /// <summary>The same in some of the steps.</summary>
    /// <param name="steps">Which: see <see cref="StepSubset"/>.</param>
    public GaussianDiffusion In(string steps) => new(Schedule.Keeping(StepSubset.Of(steps, Schedule.Count)), Predicts, LearnsSigma);

    /// <summary>x_t = √ᾱ_t x_0 + √(1 - ᾱ_t) ε.</summary>
    /// <param name="images">x_0.</param>
    /// <param name="steps">[B] t of each image.</param>
    /// <param name="noise">ε.</param>
    public Tensor Noised(Tensor images, IReadOnlyList<int> steps, Tensor noise)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var kept = Of(t => Math.Sqrt(Schedule.AlphaBars[t]), steps, images.device);
        var added = Of(t => Math.Sqrt(1 - Schedule.AlphaBars[t]), steps, images.device);
        return kept.mul(images).Add(added.mul(noise)).MoveToOuterDisposeScope();
    }

    /// <summary>The numbers of steps as the network is told them. -> float32 [B].</summary>
    /// <param name="steps">[B].</param>
    /// <param name="device">Where the network is.</param>
    public Tensor Told(IReadOnlyList<int> steps, Device device) => tensor([.. steps.Select(t => (float)Schedule.OriginalSteps[t])], device: device);

    /// <summary>How far the network is from what it should say, image by image.</summary>
    /// <param name="output">What it said, [B, 3 or 6, S, S].</param>
    /// <param name="images">x_0.</param>
    /// <param name="noisy">x_t.</param>
    /// <param name="steps">[B] t.</param>
    /// <param name="noise">ε.</param>
    /// <returns>float32 [B]: the mean square, with gradients; and the bound in bits, with gradients of the variance alone, null where it is not
    /// learned.</returns>
    public (Tensor Square, Tensor? Bound) Losses(Tensor output, Tensor images, Tensor noisy, IReadOnlyList<int> steps, Tensor noise)
    {
        ArgumentNullException.ThrowIfNull(output);
        using var scope = NewDisposeScope();
        var said = output.narrow(1, 0, 3);
        var square = (Predicts == DiffusionTarget.Image ? images : noise).Subtract(said).square().mean([1L, 2, 3]);
        var bound = LearnsSigma ? Bound(said.detach(), output.narrow(1, 3, 3), images, noisy, steps) : null;
        return (square.MoveToOuterDisposeScope(), bound?.MoveToOuterDisposeScope());
    }

    /// <summary>x̂_0 = x_t / √ᾱ - √(1/ᾱ - 1) ε̂, or what the network says where it predicts that; not clamped.</summary>
    /// <param name="said">The network's first three channels.</param>
    /// <param name="noisy">x_t.</param>
    /// <param name="steps">[B] t.</param>
    internal Tensor Image(Tensor said, Tensor noisy, IReadOnlyList<int> steps)
    {
        if (Predicts == DiffusionTarget.Image) return said.alias();
        using var scope = NewDisposeScope();
        var whole = Of(t => Math.Sqrt(1 / Schedule.AlphaBars[t]), steps, noisy.device);
        var noise = Of(t => Math.Sqrt((1 / Schedule.AlphaBars[t]) - 1), steps, noisy.device);
        return whole.mul(noisy).Subtract(noise.mul(said)).MoveToOuterDisposeScope();
    }

    /// <summary>The mean of x_{t-1} given x_0 and x_t.</summary>
    internal Tensor Mean(Tensor image, Tensor noisy, IReadOnlyList<int> steps)
    {
        using var scope = NewDisposeScope();
        return Of(t => Schedule.ImageShares[t], steps, noisy.device).mul(image)
            .Add(Of(t => Schedule.NoisyShares[t], steps, noisy.device).mul(noisy)).MoveToOuterDisposeScope();
    }

    /// <summary>log σ² of a step back, as learned.</summary>
    internal Tensor LogVariance(Tensor learned, IReadOnlyList<int> steps)
    {
        using var scope = NewDisposeScope();
        var least = Of(t => Schedule.LogPosteriorVariances[t], steps, learned.device);
        var most = Of(t => Math.Log(Schedule.Betas[t]), steps, learned.device);
        var share = learned.Add(tensor(1f, device: learned.device)).Multiply(0.5);
        // f most + (1 - f) least
        var rest = tensor(1f, device: learned.device).Subtract(share);
        return share.mul(most).Add(rest.mul(least)).MoveToOuterDisposeScope();
    }

    /// <summary>A number for each image, of a table. -> float32 [B, 1, 1, 1].</summary>
    internal static Tensor Of(Func<int, double> table, IReadOnlyList<int> steps, Device device) =>
        tensor([.. steps.Select(t => (float)table(t))], [steps.Count, 1, 1, 1], device: device);

    /// <summary>The divergence of the step back that is learned from the true one; at t = 0 the code length of the 8-bit image. Bits, [B].</summary>
    private Tensor Bound(Tensor said, Tensor learned, Tensor images, Tensor noisy, IReadOnlyList<int> steps)
    {
        using var scope = NewDisposeScope();
        var wanted = Mean(images, noisy, steps);
        var wantedLog = Of(t => Schedule.LogPosteriorVariances[t], steps, images.device);
        var mean = Mean(Image(said, noisy, steps), noisy, steps);
        var log = LogVariance(learned, steps);
        // KL = (log σ² - log σ̃² + (σ̃² + (m̃ - m)²) / σ² - 1) / 2
        var one = tensor(1f, device: images.device);
        var divergence = log.Subtract(wantedLog).Add(wantedLog.Subtract(log).exp())
            .Add(wanted.Subtract(mean).square().mul(log.neg().exp())).Subtract(one).Multiply(0.5);
        var inBits = 1 / Math.Log(2);
        var apart = divergence.mean([1L, 2, 3]).Multiply(inBits);
        if (!steps.Contains(0)) return apart.MoveToOuterDisposeScope();
        var code = LogLikelihood(images, mean, log.Multiply(0.5)).neg().mean([1L, 2, 3]).Multiply(inBits);
        return where(tensor([.. steps.Select(t => t == 0)], device: images.device), code, apart).MoveToOuterDisposeScope();
    }

    /// <summary>Of the bin of 256 that each number lies in; the outermost are open.</summary>
    private static Tensor LogLikelihood(Tensor images, Tensor mean, Tensor logDeviation)
    {
        using var scope = NewDisposeScope();
        Tensor Constant(double value) => tensor((float)value, device: images.device);
        var (one, least) = (Constant(1), Constant(LeastLikelihood));
        var (centred, sharp) = (images.Subtract(mean), logDeviation.neg().exp());
        var above = Cumulative(sharp.mul(centred.Add(Constant(HalfABin))));
        var below = Cumulative(sharp.mul(centred.Subtract(Constant(HalfABin))));
        var inside = maximum(above.Subtract(below), least).log();
        var darkest = maximum(above, least).log();
        var brightest = maximum(one.Subtract(below), least).log();
        return where(images.lt(Constant(-OutermostBin)), darkest, where(images.gt(Constant(OutermostBin)), brightest, inside))
            .MoveToOuterDisposeScope();
    }

    /// <summary>Φ(z), about: (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2.</summary>
    private static Tensor Cumulative(Tensor z)
    {
        using var scope = NewDisposeScope();
        var inner = z.Add(z.mul(z).mul(z).Multiply(TanhCube)).Multiply(Math.Sqrt(2 / Math.PI));
        return inner.tanh().Add(tensor(1f, device: z.device)).Multiply(0.5).MoveToOuterDisposeScope();
    }
}
