using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What I-JEPA says of itself where a patch's target is not to be had from the features of its whole image: pixels, and representations that
/// are masked at the input.</summary>
/// <remarks>The best constants are those of the very targets that the masks of the sample ask for.</remarks>
internal static class DrawnTargetMeasures
{
    /// <summary>As <see cref="ImageJepaMeasures.Of"/>. A glance has nothing to say of pixels, which no training changes.</summary>
    public static IReadOnlyDictionary<string, double> Of(ImageJepa objective, MonitoredImages images)
    {
        var isGlance = images.Masked == 0;
        if (isGlance && objective.TargetsAreFixed) return new Dictionary<string, double>();
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (targets, places) = (new List<Tensor>(), new List<Tensor>());
        double real = 0;
        var seen = 0;
        foreach (var batch in images.Batches)
        {
            if (!isGlance && seen >= images.Masked) break;
            using var inner = NewDisposeScope();
            var pixels = images.Scaling.ToImages(batch);
            using var masks = JepaMasks.Of(objective.DrawMasks(batch.Indices, images.Step), pixels.device);
            targets.Add(JepaTargets.Of(objective, pixels, masks.Targets).flatten(0, 1).MoveToOuterDisposeScope());
            places.Add(masks.Targets.Patches.clone().MoveToOuterDisposeScope());
            if (!isGlance) real += batch.Count * ImageJepaMeasures.Number(objective.Loss(pixels, masks, images.Step));
            seen += batch.Count;
        }

        var all = cat(targets);
        var measures = new Dictionary<string, double>();
        if (!isGlance) measures["loss"] = real / seen;
        measures[ImageJepaMeasures.ConstantLoss] = LossOfConstant(objective, all);
        measures[ImageJepaMeasures.PositionLoss] = LossByPosition(objective, all, cat(places));
        return measures;
    }

    /// <summary>[R, D] -> the loss of the best that can be said of all rows alike.</summary>
    private static double LossOfConstant(ImageJepa objective, Tensor rows)
    {
        using var scope = NewDisposeScope();
        return ImageJepaMeasures.Number(objective.Distance(ConstantPredictor.Fit(rows, objective.Options.Loss).expand_as(rows), rows));
    }

    /// <summary>The same for the rows of each patch of the grid: a mean over all rows.</summary>
    private static double LossByPosition(ImageJepa objective, Tensor rows, Tensor places)
    {
        var sum = 0.0;
        for (var patch = 0L; patch < objective.Options.Encoder.Patches; patch++)
        {
            using var inner = NewDisposeScope();
            var own = places.eq(tensor(patch, int64, places.device)).nonzero().flatten();
            if (own.shape[0] > 0) sum += own.shape[0] * LossOfConstant(objective, rows.index_select(0, own));
        }

        return sum / rows.shape[0];
    }
}
