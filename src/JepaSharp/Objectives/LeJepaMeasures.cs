using JepaSharp.Data.Loading;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What LeJEPA says of itself: its losses on views that never change, and how far apart projections are.</summary>
/// <remarks>
/// A statistic near 1.05 is that of a Gaussian. One that grows with the images of a batch, beside a deviation far below 1, is a collapse: where all
/// projections are the same it is 0.402 N, and has no gradient that could end it.
/// </remarks>
internal static class LeJepaMeasures
{
    /// <summary>The loss, its two parts, and the deviation of projections over images, as a mean over their numbers. Nothing in a glance: that is
    /// left to what can be said of any encoder.</summary>
    public static IReadOnlyDictionary<string, double> Of(LeJepa objective, MonitoredImages images)
    {
        var measures = new Dictionary<string, double>();
        if (images.Masked == 0) return measures;
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        double prediction = 0, statistic = 0, deviation = 0;
        var seen = 0;
        foreach (var batch in images.Batches)
        {
            if (seen >= images.Masked) break;
            if (batch.Count < 2) continue; // a single image tells nothing of a distribution
            using var inner = NewDisposeScope();
            var bytes = ViewMaker.Of(objective.Views, ViewPictures.Images(batch), batch.Indices, images.Seed, epoch: -1);
            using var views = ViewBatch.Of(bytes, images.Scaling);
            var embeddings = objective.Embed([.. objective.Views.Select(view => views[view.Name])]);
            var projections = objective.Projector.forward(embeddings).view(-1, batch.Count, objective.Options.Projection);
            var losses = objective.Losses(projections, images.Step);
            prediction += batch.Count * ImageJepaMeasures.Number(losses.Prediction);
            statistic += batch.Count * ImageJepaMeasures.Number(losses.Statistic);
            deviation += batch.Count * ImageJepaMeasures.Number(projections.std([1L], unbiased: false).mean());
            seen += batch.Count;
        }

        if (seen == 0) return measures;
        measures["loss"] = (((1 - objective.Options.Lambda) * prediction) + (objective.Options.Lambda * statistic)) / seen;
        measures[LeJepa.Prediction] = prediction / seen;
        measures[LeJepa.Statistic] = statistic / seen;
        measures["projection_deviation"] = deviation / seen;
        return measures;
    }
}
