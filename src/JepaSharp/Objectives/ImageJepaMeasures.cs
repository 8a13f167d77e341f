using JepaSharp.Configuration;
using JepaSharp.Masking;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What I-JEPA says of itself: its loss beside the best that could be said without looking.</summary>
internal static class ImageJepaMeasures
{
    /// <summary>The loss of the best predictor that says the same of every patch of every image.</summary>
    public const string ConstantLoss = "constant_loss";

    /// <summary>The loss of the best predictor that knows where a patch is, and nothing of the image.</summary>
    public const string PositionLoss = "position_loss";

    /// <summary>The loss with masks that never change, where the images are looked at closely; beside it the two others over the same targets. In a
    /// glance, those alone.</summary>
    public static IReadOnlyDictionary<string, double> Of(ImageJepa objective, MonitoredImages images)
    {
        if (objective.Options is not { Target: JepaTarget.Representations, MaskTarget: TargetMasking.Output })
            return DrawnTargetMeasures.Of(objective, images);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var patches = cat([.. images.Features.Select(NormalizedInPlaceOf)]);
        var all = patches.flatten(0, 1);
        var constant = ConstantPredictor.Fit(all, objective.Options.Loss);
        var constants = ConstantPredictor.Fit(patches, objective.Options.Loss);
        if (images.Masked == 0)
        {
            return new Dictionary<string, double>
            {
                [ConstantLoss] = Number(objective.Distance(constant.expand_as(all), all)),
                [PositionLoss] = Number(objective.Distance(constants.expand_as(patches), patches)),
            };
        }

        double real = 0, best = 0, position = 0;
        var (first, seen) = (0L, 0);
        foreach (var batch in images.Batches)
        {
            if (seen >= images.Masked) break;
            using var inner = NewDisposeScope();
            using var masks = JepaMasks.Of(objective.DrawMasks(batch.Indices, images.Step), patches.device);
            var targets = patches.narrow(0, first, batch.Count).flatten(0, 1).index_select(0, masks.Targets.Rows);
            real += batch.Count * Number(objective.Loss(images.Scaling.ToImages(batch), masks, images.Step));
            best += batch.Count * Number(objective.Distance(constant.expand_as(targets), targets));
            position += batch.Count * Number(objective.Distance(constants.index_select(0, masks.Targets.Patches), targets));
            (first, seen) = (first + batch.Count, seen + batch.Count);
        }

        return new Dictionary<string, double> { ["loss"] = real / seen, [ConstantLoss] = best / seen, [PositionLoss] = position / seen };
    }

    /// <summary>[B, D]: mean over the patches of an image's context blocks, through the target encoder.</summary>
    public static Tensor EncodeContext(ImageJepa objective, Tensor images, MaskBatch draw)
    {
        using var scope = NewDisposeScope();
        using var masks = JepaMasks.Of(draw, images.device);
        var encoded = objective.TargetEncoder.Encode(images, masks.Context).to(float32);
        return encoded.mean([1L]).view(draw.ContextBlocks, draw.Batch, -1).mean([0L]).MoveToOuterDisposeScope();
    }

    /// <summary>Multiplications for an image, with masks of the size that training draws.</summary>
    public static ObjectiveCost CostOf(ImageJepaOptions options, MaskBatch masks)
    {
        var (encoder, predictor) = (options.Encoder, options.Predictor);
        var whole = ObjectiveCost.OfBlocks(encoder.Depth, encoder.Width, encoder.MlpWidth, masks.Grid.Count);
        var context = masks.ContextBlocks * ObjectiveCost.OfBlocks(encoder.Depth, encoder.Width, encoder.MlpWidth, masks.ContextLength);
        var target = options switch
        {
            { Target: not JepaTarget.Representations } => 0,
            { MaskTarget: TargetMasking.Input } =>
                masks.TargetBlocks * ObjectiveCost.OfBlocks(encoder.Depth, encoder.Width, encoder.MlpWidth, masks.TargetLength),
            _ => whole,
        };
        var prediction = (double)masks.ContextBlocks * masks.TargetBlocks
            * ObjectiveCost.OfBlocks(predictor.Depth, predictor.Width, 4 * predictor.Width, masks.ContextLength + masks.TargetLength);
        return new ObjectiveCost(whole, context, prediction, target + (3 * (context + prediction)));
    }

    private static Tensor NormalizedInPlaceOf(Tensor features)
    {
        var normalized = ImageJepa.Normalized(features);
        features.Dispose();
        return normalized;
    }

    internal static double Number(Tensor loss) => loss.item<float>();
}

/// <summary>The best predictor that always says the same: what a loss is worth is its distance from this one's.</summary>
/// <remarks>
/// For the squared error the best constant is the mean. For smooth L1 with beta 1 it is Huber's estimate of location (Huber, "Robust estimation
/// of a location parameter", 1964), between mean and median: the c at which mean(clip(x - c, -1, 1)) = 0, reached by adding that mean to c
/// until it stays. Adding it never overshoots, because the slope of that mean is between -1 and 0.
/// </remarks>
public static class ConstantPredictor
{
    private const int Rounds = 20;

    /// <summary>The best constant of each dimension. [n, ...] -> [...].</summary>
    /// <param name="targets">What there is to predict, the first dimension running over samples.</param>
    /// <param name="loss">How far a prediction is from its target.</param>
    public static Tensor Fit(Tensor targets, JepaLoss loss)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var constant = targets.mean([0L]);
        if (loss == JepaLoss.L2) return constant.MoveToOuterDisposeScope();
        for (var round = 0; round < Rounds; round++)
        {
            using var inner = NewDisposeScope();
            constant = constant.Add(targets.Subtract(constant).Clamp_(-1, 1).mean([0L])).MoveToOuterDisposeScope();
        }

        return constant.MoveToOuterDisposeScope();
    }
}
