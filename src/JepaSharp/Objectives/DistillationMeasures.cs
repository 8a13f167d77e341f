using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What distillation says of itself: how near the student is to its teacher, beside the best that could be said without looking.</summary>
internal static class DistillationMeasures
{
    /// <summary>The distance of patches and their mean cosine, and the distance of the best constant. Nothing in a glance.</summary>
    public static IReadOnlyDictionary<string, double> Of(Distillation objective, MonitoredImages images)
    {
        if (images.Masked == 0) return new Dictionary<string, double>();
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        List<Tensor> targets = [], said = [];
        var seen = 0;
        foreach (var batch in images.Batches)
        {
            if (seen >= images.Masked) break;
            using var inner = NewDisposeScope();
            var pixels = images.Scaling.ToImages(batch);
            targets.Add(objective.Targets(pixels).Patches.flatten(0, 1).MoveToOuterDisposeScope());
            said.Add(objective.Predictions(pixels).Patches.flatten(0, 1).MoveToOuterDisposeScope());
            seen += batch.Count;
        }

        var (wanted, found, loss) = (cat(targets), cat(said), objective.Options.Loss);
        var constant = ConstantPredictor.Fit(wanted, loss).expand_as(wanted);
        return new Dictionary<string, double>
        {
            ["loss"] = ImageJepaMeasures.Number(objective.Distance(found, wanted)),
            [ImageJepaMeasures.ConstantLoss] = ImageJepaMeasures.Number(objective.Distance(constant, wanted)),
            [Distillation.Cosine] = ImageJepaMeasures.Number(nn.functional.cosine_similarity(found, wanted, dim: -1).mean()),
        };
    }
}
