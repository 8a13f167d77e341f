using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Models.Diffusion;
using JepaSharp.Objectives.Diffusion;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>RCDM: a diffusion model learns to draw pictures from what frozen networks say of them (Bordes et al., TMLR 2022).</summary>
/// <remarks>
/// What is common to several pictures drawn from one representation is in it, what varies is not: figure 6 of the I-JEPA paper, whose decoder was
/// never released. Shapes: B images, S pixels a side, D numbers of a representation.
/// </remarks>
public sealed class Rcdm : Objective
{
    /// <summary>Its name in configurations and files.</summary>
    public const string ShortName = MetaOptions.Rcdm;

    /// <summary>Names of its networks in files.</summary>
    public const string DecoderName = "unet", AverageName = "unet_average", ScaleName = "condition";

    private const string SquareTerm = "mse", BoundTerm = "vb";

    /// <summary>Builds decoder and average.</summary>
    /// <param name="options">Pairs, shape, noise and seed.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    public Rcdm(RcdmOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var shape = options.Decoder;
        if (shape.Condition != options.Pairs.Width || shape.LearnsSigma != options.Diffusion.LearnsSigma)
            throw new ArgumentException(
                $"A decoder of representations of {shape.Condition} numbers{(shape.LearnsSigma ? " that learns sigma" : "")} for pairs of "
                    + $"{options.Pairs.Width}{(options.Diffusion.LearnsSigma ? ", where sigma is learned" : "")}.", nameof(options));
        Options = options;
        (Decoder, Average) = (new DiffusionUNet(shape, device), new DiffusionUNet(shape, device));
        Scale = new ConditionScale(shape.Condition, device);
        // As published, decay is that of all weights, biases and norms with them.
        Networks =
        [
            new(DecoderName, Decoder, NetworkRole.Trained) { Title = "decoder", Decays = _ => true },
            new(AverageName, Average, NetworkRole.Average, Follows: DecoderName) { Title = "decoder's average", MomentumAt = options.MomentumAt },
            new(ScaleName, Scale, NetworkRole.Frozen) { Title = "representations' mean and deviation" },
            .. options.Pairs.Networks,
        ];
        if (device?.type == DeviceType.META) return;

        Decoder.Initialize(options.Seed, stream: 0);
        StartAverage(Average, Decoder);
        if (options.Measured is { } measured) Scale.Measure(measured);
    }

    /// <summary>Pairs, shape, noise and seed.</summary>
    public RcdmOptions Options { get; }

    /// <summary>What learns.</summary>
    public DiffusionUNet Decoder { get; }

    /// <summary>Its moving average: what pictures are drawn with.</summary>
    public DiffusionUNet Average { get; }

    /// <summary>Brings representations to mean 0 and deviation 1.</summary>
    public ConditionScale Scale { get; }

    /// <inheritdoc/>
    public override string Name => ShortName;

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<View> Views => [Options.Pairs.View];

    /// <summary>The frozen encoder, as it came.</summary>
    public override VisionTransformer Encoder => Options.Pairs.Encoder;

    /// <summary>With a learned variance, the two terms of the loss.</summary>
    public override IReadOnlyList<string> Numbers => Options.Diffusion.LearnsSigma ? [SquareTerm, BoundTerm] : [];

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Facts => Options.Pairs.Facts;

    /// <summary>Noise and pictures are what they are.</summary>
    /// <inheritdoc/>
    public override bool TargetsAreFixed => true;

    /// <summary>How far the decoder is from the noise, or the picture, of noisy pictures; with a learned variance, the bound's bits beside
    /// it.</summary>
    /// <inheritdoc/>
    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        var (pictures, conditions) = Options.Pairs.Of(batch, step);
        var (steps, noise) = Options.Draw is { } given ? given(step) : Drawn(step, batch.Indices, pictures);
        step.Count(Operations(batch.Indices, step));
        var noisy = Options.Diffusion.Noised(pictures, steps, noise);
        var output = Decoder.Forward(noisy, Options.Diffusion.Told(steps, pictures.device), Scale.forward(conditions));
        var (square, bound) = Options.Diffusion.Losses(output, pictures, noisy, steps, noise);
        var loss = square.mean();
        if (bound is null) return loss.MoveToOuterDisposeScope();
        step.Report(SquareTerm, loss);
        var bits = bound.mean();
        step.Report(BoundTerm, bits);
        return loss.Add(bits).MoveToOuterDisposeScope();
    }

    /// <summary>Draws pictures from representations with the average.</summary>
    /// <param name="conditions">float32 [B, D], as the networks say them.</param>
    /// <param name="start">Noise [B, 3, S, S].</param>
    /// <param name="steps">Steps to draw in: ddimN for DDIM without added noise, a number for ancestral sampling.</param>
    /// <param name="noise">Added noise of each step in the order that they are taken: ancestral sampling alone.</param>
    /// <returns>float32 [B, 3, S, S], -1 to 1.</returns>
    public Tensor Draw(Tensor conditions, Tensor start, string steps = "ddim25", Func<int, Tensor>? noise = null)
    {
        ArgumentNullException.ThrowIfNull(steps);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var told = Scale.forward(conditions);
        var sampler = new DiffusionSampler(Options.Diffusion.In(steps));
        Tensor Say(Tensor noisy, Tensor t) => Average.Forward(noisy, t, told);
        var drawn = steps.StartsWith("ddim", StringComparison.Ordinal)
            ? sampler.Implicit(Say, start)
            : sampler.Ancestral(Say, start, noise ?? throw new ArgumentNullException(nameof(noise)));
        return drawn.clone().Clamp_(-1, 1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Describe(int images, int batches, ulong seed) => [$"decoded: {Options.Pairs.Description}"];

    /// <summary>The loss with true and with other images' representations, and the difference by bands of steps.</summary>
    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> Measure(MonitoredImages images) => RcdmMeasures.Of(this, images);

    /// <inheritdoc/>
    public override ObjectiveCost Cost(IReadOnlyList<int> indices, Step step)
    {
        var shape = Encoder.Shape;
        var whole = ObjectiveCost.OfBlocks(shape.Depth, shape.Width, shape.MlpWidth, shape.Patches);
        var drawing = DiffusionProducts.Of(Options.Decoder).Forward / 2;
        var images = Math.Max(1, (indices ?? []).Count);
        return new ObjectiveCost(whole, 0, 2 * RcdmMeasures.Bands * drawing, Operations(indices ?? [], step).Total / 2 / images);
    }

    /// <inheritdoc/>
    public override StepOperations Operations(IReadOnlyList<int> indices, Step step)
    {
        ArgumentNullException.ThrowIfNull(indices);
        var products = DiffusionProducts.Of(Options.Decoder);
        var decoder = new NetworkOperations(
            DecoderName, NetworkRole.Trained, indices.Count * products.Forward, indices.Count * products.Backward);
        return StepOperations.Sum(
            [new StepOperations([decoder]), .. Options.Pairs.Operations(indices, step) is { } frozen ? new[] { frozen } : []]);
    }

    /// <summary>Noise of each image from a stream of its own. -> float32 [B, 3, S, S].</summary>
    internal static Tensor Noise(IReadOnlyList<RandomStream> streams, long side, Device device)
    {
        var each = 3 * (int)(side * side);
        var values = new float[streams.Count * each];
        for (var i = 0; i < streams.Count; i++)
        {
            var stream = streams[i];
            for (var k = 0; k < each; k++) values[(i * each) + k] = (float)stream.NextGaussian();
        }

        return tensor(values, [streams.Count, 3, side, side], device: device);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Options.Pairs.Dispose();
        base.Dispose(disposing);
    }

    private (IReadOnlyList<int> Steps, Tensor Noise) Drawn(Step step, IReadOnlyList<int> images, Tensor pictures)
    {
        var streams = new RandomStream[images.Count];
        var steps = new int[images.Count];
        for (var i = 0; i < steps.Length; i++)
        {
            streams[i] = step.Random(item: images[i]);
            steps[i] = streams[i].NextInt(Options.Diffusion.Schedule.Count);
        }

        return (steps, Noise(streams, pictures.shape[3], pictures.device));
    }
}
