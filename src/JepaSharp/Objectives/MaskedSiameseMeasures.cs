using System.Globalization;
using JepaSharp.Data.Loading;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What MSN says of itself: its loss on views that never change, and how prototypes are used.</summary>
/// <remarks>
/// Targets are looked at before they are balanced: balancing shares images out among prototypes however alike they are. A collapse ends at one
/// prototype for all images, or at all prototypes alike for every image, where the loss is ln K.
/// </remarks>
internal static class MaskedSiameseMeasures
{
    private const double Undecided = 0.999, AsGoodAsEqual = 1.05;

    /// <summary>The loss and its terms; how many prototypes are the nearest of some image; the mean of targets' largest shares. Nothing in a
    /// glance.</summary>
    public static IReadOnlyDictionary<string, double> Of(MaskedSiamese objective, MonitoredImages images)
    {
        var measures = new Dictionary<string, double>();
        if (images.Masked == 0) return measures;
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (loss, options) = (objective.Options.Loss, objective.Options);
        var nearest = new List<Tensor>();
        double[] sums = new double[5];
        var seen = 0;
        foreach (var batch in images.Batches)
        {
            if (seen >= images.Masked) break;
            if (batch.Count < 2) continue; // batch norm needs two
            using var inner = NewDisposeScope();
            var bytes = ViewMaker.Of(objective.Views, ViewPictures.Images(batch), batch.Indices, images.Seed, epoch: -1);
            using var views = ViewBatch.Of(bytes, images.Scaling);
            var features = objective.Features(views, images.Step);
            var targets = MaskedSiamese.Targets(features, objective.TargetHead.forward);
            var sharpening = options.FinalSharpening;
            var terms = loss.Terms(
                MaskedSiamese.Anchors(features, objective.Head.forward), objective.Prototypes.Weight,
                loss.Targets(targets, objective.Prototypes.Weight, sharpening));
            var unbalanced = (loss with { Balances = false }).Targets(targets, objective.Prototypes.Weight, sharpening);
            nearest.Add(MaskedSiamese.Nearest(unbalanced).MoveToOuterDisposeScope());
            Tensor[] means = [loss.Sum(terms), terms.CrossEntropy, terms.MeanEntropy, terms.Entropy, unbalanced.amax([1L]).mean()];
            for (var i = 0; i < means.Length; i++) sums[i] += batch.Count * ImageJepaMeasures.Number(means[i]);
            seen += batch.Count;
        }

        if (seen == 0) return measures;
        string[] names = ["loss", MaskedSiamese.CrossEntropy, MaskedSiamese.MeanEntropy, MaskedSiamese.Entropy, MaskedSiamese.Largest];
        foreach (var (name, sum) in names.Zip(sums)) measures[name] = sum / seen;
        measures[MaskedSiamese.Used] = ImageJepaMeasures.Number(stack(nearest).amax([0L]).sum());
        return measures;
    }

    /// <summary>One prototype for everything, or all alike for everything; null where neither is so.</summary>
    /// <param name="measures">What <see cref="Of"/> found.</param>
    /// <param name="count">K.</param>
    public static string? SignOfCollapse(IReadOnlyDictionary<string, double> measures, int count)
    {
        if (!measures.TryGetValue(MaskedSiamese.Used, out var used)) return null;
        if (used <= 1) return "every image is nearest to the same one of its prototypes";
        if (measures[MaskedSiamese.Entropy] > Undecided * Math.Log(count) || measures[MaskedSiamese.Largest] < AsGoodAsEqual / count)
            return string.Create(CultureInfo.InvariantCulture,
                $"every image is as near to one of its {count} prototypes as to any other, and the loss stays at ln {count} = {Math.Log(count):F2}");
        return null;
    }
}
