using JepaSharp.Configuration;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>
/// I-JEPA: from one context block of an image, predict the representations of several target blocks of the same image
/// (Assran et al., CVPR 2023, section 3, figure 3).
/// </summary>
/// <remarks>
/// <para>Targets: the whole image through the target encoder; of its output, the patches of each target block.
/// Context: the patches of the context block alone through the context encoder. Prediction: the predictor, told the context
/// and the positions of a target block. Loss: mean distance over all target patches. The context encoder and the predictor learn by
/// gradient; the target encoder follows as an exponential moving average of the context encoder.</para>
/// <para>Shapes: B images, C channels, H W pixels, D width; Mc context blocks of Kc patches and Mt target blocks of Kt patches an image.</para>
/// </remarks>
public sealed class ImageJepa : IDisposable
{
    // The published code normalises targets with PyTorch's default epsilon, not the encoder's 1e-6.
    private const double TargetEpsilon = 1e-5;

    /// <summary>Builds the three networks. The target encoder starts as a copy of the context encoder.</summary>
    /// <param name="encoder">Shape of both encoders.</param>
    /// <param name="predictor">Shape of the predictor.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    /// <param name="loss">Distance between prediction and target.</param>
    /// <param name="device">Where the networks live. Null: the CPU.</param>
    public ImageJepa(VisionTransformerShape encoder, PredictorShape predictor, ulong seed = 0, JepaLoss loss = JepaLoss.SmoothL1, Device? device = null)
    {
        ContextEncoder = new VisionTransformer(encoder, device);
        Predictor = new Predictor(predictor, encoder, device);
        TargetEncoder = new VisionTransformer(encoder, device);
        LossFunction = loss;
        if (device?.type == DeviceType.META) return;

        Initialization.Initialize(ContextEncoder, seed, stream: 0);
        Initialization.Initialize(Predictor, seed, stream: 1);
        StartTargetFromContext();
    }

    /// <summary>f: encodes context blocks; learns by gradient.</summary>
    public VisionTransformer ContextEncoder { get; }

    /// <summary>g: predicts target representations from context representations; learns by gradient.</summary>
    public Predictor Predictor { get; }

    /// <summary>f̄: encodes whole images; the moving average of <see cref="ContextEncoder"/>, and the encoder to use afterwards.</summary>
    public VisionTransformer TargetEncoder { get; }

    /// <summary>Distance between prediction and target.</summary>
    public JepaLoss LossFunction { get; }

    /// <summary>Where the time of <see cref="AddGradients"/> goes.</summary>
    public PhaseClock Clock { get; } = new();

    /// <summary>One number to minimise: the mean distance between predictions and targets. [] float32, with gradients.</summary>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="masks">The batch's context and target blocks.</param>
    public Tensor Loss(Tensor images, JepaMasks masks)
    {
        using var scope = NewDisposeScope();
        var targets = Targets(images, masks);
        var predictions = Predict(images, masks);
        return Distance(predictions, targets).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the gradients of <paramref name="weight"/> times the loss to the parameters', and returns the loss so weighted.</summary>
    /// <remarks>
    /// One target block at a time: the loss is the mean over blocks, each predicted from the same context, so that only one block's predictor
    /// has to be kept in memory.
    /// </remarks>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="masks">The batch's context and target blocks.</param>
    /// <param name="weight">This batch's share of the step.</param>
    public double AddGradients(Tensor images, JepaMasks masks, double weight)
    {
        using var scope = NewDisposeScope();
        using var tape = GradientTape.Start();
        var targets = Timed("target encoder", () => Targets(images, masks)).chunk(masks.Targets.Sets, 0);
        var context = Timed("context encoder", () => tape.Cut(ContextEncoder.Encode(images, masks.Context)));
        var encoded = tape.Mark;
        var seen = Timed("predictor, there and back", () => tape.Cut(Predictor.Embed(context, masks.Context)));
        var mark = tape.Mark;
        var sum = 0.0;
        for (var block = 0; block < targets.Length; block++)
        {
            using var inner = NewDisposeScope();
            using var asked = masks.Targets.Only(block);
            using var timed = Clock.Measure("predictor, there and back");
            var predictions = Predictor.PredictFrom(seen, masks.Context, asked);
            if (AcceleratedDistance.CanRun(predictions, targets[block]))
            {
                var (value, gradient) = AcceleratedDistance.Of(predictions, targets[block], LossFunction == JepaLoss.SmoothL1, weight / targets.Length);
                tape.Backward(predictions, gradient, mark);
                sum += value;
            }
            else
            {
                var loss = Distance(predictions, targets[block]).Times(weight / targets.Length);
                tape.Backward(loss, mark);
                sum += loss.item<float>();
            }
        }

        using (Clock.Measure("predictor, there and back")) tape.Backward(encoded);
        using var last = Clock.Measure("context encoder, back");
        tape.Backward(mark: 0);
        return sum;
    }

    /// <summary>The same with all blocks at once, for devices that run while the host goes on: the weighted loss stays there. -> [] float32.</summary>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="masks">The batch's context and target blocks.</param>
    /// <param name="weight">This batch's share of the step.</param>
    internal Tensor AddGradientsOnDevice(Tensor images, JepaMasks masks, double weight)
    {
        using var scope = NewDisposeScope();
        using var tape = GradientTape.Start();
        var whole = Loss(images, masks).Times(weight);
        tape.Backward(whole, mark: 0);
        return whole.detach().MoveToOuterDisposeScope();
    }

    /// <summary>s(y): what the target encoder says of the target patches, layer-normed. No gradient. -> float32 [Mt Mc B, Kt, D].</summary>
    /// <remarks>The whole image is encoded and then cut: target patches see all of it (paper, section 3, "Targets").</remarks>
    public Tensor Targets(Tensor images, JepaMasks masks)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var wanted = TargetEncoder.EncodeWhole(images, masks.Targets);
        return ForEveryContext(Normalize(wanted), masks).MoveToOuterDisposeScope();
    }

    /// <summary>ŝ(y): the predictor's guess from the context. -> float32 [Mt Mc B, Kt, D], with gradients.</summary>
    public Tensor Predict(Tensor images, JepaMasks masks)
    {
        using var scope = NewDisposeScope();
        var context = ContextEncoder.Encode(images, masks.Context);
        return Predictor.Predict(context, masks.Context, masks.Targets).to(float32).MoveToOuterDisposeScope();
    }

    /// <summary>Mean distance over patches and dimensions. Both [Mt Mc B, Kt, D] -> [].</summary>
    public Tensor Distance(Tensor predictions, Tensor targets) => LossFunction switch
    {
        JepaLoss.L2 => nn.functional.mse_loss(predictions, targets),
        _ => nn.functional.smooth_l1_loss(predictions, targets, beta: 1),
    };

    /// <summary>f̄ &lt;- m f̄ + (1 - m) f, one parameter at a time; training does the same on flat memory in one call.</summary>
    /// <param name="momentum">m in [0, 1].</param>
    public void UpdateTarget(double momentum)
    {
        using var untracked = no_grad();
        foreach (var (average, current) in TargetEncoder.parameters().Zip(ContextEncoder.parameters())) _ = average.Towards_(current, 1 - momentum);
    }

    /// <summary>f̄ &lt;- f, and no gradient ever reaches f̄.</summary>
    public void StartTargetFromContext()
    {
        using var untracked = no_grad();
        foreach (var (target, current) in TargetEncoder.parameters().Zip(ContextEncoder.parameters()))
        {
            _ = target.copy_(current);
            target.requires_grad = false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ContextEncoder.Dispose();
        Predictor.Dispose();
        TargetEncoder.Dispose();
    }

    private Tensor Timed(string phase, Func<Tensor> work)
    {
        using var timed = Clock.Measure(phase);
        return work();
    }

    private static Tensor Normalize(Tensor h) => AcceleratedDistance.CanNormalize(h) ? AcceleratedDistance.Normalize(h, TargetEpsilon) : nn.functional.layer_norm(h.to(float32), [h.shape[^1]], eps: TargetEpsilon);

    /// <summary>[Mt B Kt, D] -> [Mt Mc B, Kt, D]: every target block once for each context block it is predicted from.</summary>
    private static Tensor ForEveryContext(Tensor targets, JepaMasks masks)
    {
        var (blocks, images, patches, contexts) = (masks.Targets.Sets, masks.Targets.Images, masks.Targets.PatchesPerSet, masks.Context.Sets);
        return targets.view(blocks, 1, images, patches, -1).expand(blocks, contexts, images, patches, -1).reshape(blocks * contexts * images, patches, -1);
    }
}
