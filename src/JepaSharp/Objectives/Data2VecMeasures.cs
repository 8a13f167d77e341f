using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What data2vec says of itself: its loss beside the best that could be said without looking.</summary>
internal static class Data2VecMeasures
{
    /// <summary>The loss with masks that never change, and those of the targets' mean, of all and by place, over the same patches. Nothing in a
    /// glance: targets are the teacher's, which a glance does not ask.</summary>
    /// <remarks>The means stand for the best constants: below β the distance is a square, and normalised targets hardly ever lie further.</remarks>
    public static IReadOnlyDictionary<string, double> Of(Data2Vec objective, MonitoredImages images)
    {
        if (images.Masked == 0) return new Dictionary<string, double>();
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (all, places) = (new List<Tensor>(), new List<Tensor>());
        double real = 0;
        var seen = 0;
        foreach (var batch in images.Batches)
        {
            if (seen >= images.Masked) break;
            using var inner = NewDisposeScope();
            var pixels = images.Scaling.ToImages(batch);
            using var masks = new MaskedPatches(objective.DrawMasks([.. batch.Indices.Take(batch.Count)], images.Step), pixels.device);
            seen += batch.Count;
            if (masks.Count == 0) continue;
            var targets = objective.Targets(pixels, masks);
            real += masks.Count * ImageJepaMeasures.Number(objective.Distance(objective.Predict(pixels, masks), targets));
            all.Add(targets.MoveToOuterDisposeScope());
            places.Add(masks.Rows.remainder(tensor((long)objective.Options.Encoder.Patches, device: pixels.device)).MoveToOuterDisposeScope());
        }

        if (all.Count == 0) return new Dictionary<string, double>();
        var (rows, of) = (cat(all), cat(places));
        double Off(Tensor own) => own.shape[0] * ImageJepaMeasures.Number(objective.Distance(own.mean([0L], keepdim: true).expand_as(own), own));
        var byPlace = 0.0;
        for (var patch = 0L; patch < objective.Options.Encoder.Patches; patch++)
        {
            using var inner = NewDisposeScope();
            var own = of.eq(tensor(patch, int64, of.device)).nonzero().flatten();
            if (own.shape[0] > 0) byPlace += Off(rows.index_select(0, own));
        }

        return new Dictionary<string, double>
        {
            ["loss"] = real / rows.shape[0],
            [ImageJepaMeasures.ConstantLoss] = Off(rows) / rows.shape[0],
            [ImageJepaMeasures.PositionLoss] = byPlace / rows.shape[0],
        };
    }
}
