using JepaSharp.Configuration;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What MAE says of itself: its loss beside the best that could be said without looking.</summary>
internal static class MaskedAutoencoderMeasures
{
    /// <summary>The loss with masks that never change, and the two others over the same patches: the mean of all, and the mean of those at one place
    /// of the grid. A glance has nothing to say of pixels, which no training changes.</summary>
    public static IReadOnlyDictionary<string, double> Of(MaskedAutoencoder objective, MonitoredImages images)
    {
        if (images.Masked == 0) return new Dictionary<string, double>();
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (targets, places) = (new List<Tensor>(), new List<Tensor>());
        double real = 0;
        var seen = 0;
        foreach (var batch in images.Batches)
        {
            if (seen >= images.Masked) break;
            using var inner = NewDisposeScope();
            var pixels = images.Scaling.ToImages(batch);
            using var masks = AutoencoderMasks.Of(objective.DrawMasks([.. batch.Indices.Take(batch.Count)], images.Step), pixels.device);
            targets.Add(objective.Targets(pixels, masks.Removed).flatten(0, 1).MoveToOuterDisposeScope());
            places.Add(masks.Removed.Patches.clone().MoveToOuterDisposeScope());
            real += batch.Count * ImageJepaMeasures.Number(objective.Loss(pixels, masks).to(float32));
            seen += batch.Count;
        }

        return new Dictionary<string, double>
        {
            ["loss"] = real / seen,
            [ImageJepaMeasures.ConstantLoss] = LossOfMean(cat(targets)),
            [ImageJepaMeasures.PositionLoss] = LossByPosition(cat(targets), cat(places), objective.Options.Encoder.Patches),
        };
    }

    /// <summary>[R, D] -> the squared error of their mean.</summary>
    private static double LossOfMean(Tensor rows)
    {
        using var scope = NewDisposeScope();
        return ImageJepaMeasures.Number(nn.functional.mse_loss(ConstantPredictor.Fit(rows, JepaLoss.L2).expand_as(rows), rows));
    }

    /// <summary>The same for the rows of each patch of the grid: a mean over all rows.</summary>
    private static double LossByPosition(Tensor rows, Tensor places, int patches)
    {
        var sum = 0.0;
        for (var patch = 0L; patch < patches; patch++)
        {
            using var inner = NewDisposeScope();
            var own = places.eq(tensor(patch, int64, places.device)).nonzero().flatten();
            if (own.shape[0] > 0) sum += own.shape[0] * LossOfMean(rows.index_select(0, own));
        }

        return sum / rows.shape[0];
    }
}
