using JepaSharp.Evaluation.Probes;

namespace JepaSharp.Evaluation.Tasks;

/// <summary>Nearest neighbours at one k, which counts, and at others beside it. Nothing is chosen.</summary>
/// <param name="options">k, temperature and centring.</param>
/// <param name="others">Further k to report.</param>
public sealed class KnnTask(KnnOptions options, IReadOnlyList<int> others) : ProbeTask
{
    /// <inheritdoc/>
    public override string Name => "knn";

    /// <inheritdoc/>
    public override object Recipe => new { options.Neighbours, options.Temperature, options.CentreOnFitMean, OtherNeighbours = others };

    /// <inheritdoc/>
    protected override IReadOnlyList<ResultRow> Rows(LabelledFeatures features)
    {
        int[] neighbours = features.IsBaseline ? [options.Neighbours] : [options.Neighbours, .. others.Where(k => k != options.Neighbours)];
        var scores = features.Test.Score(KnnProbe.Fit(features.Fit, options), neighbours);
        return [.. neighbours.Zip(scores, (k, score) => new ResultRow
        {
            Features = features.Name,
            Probe = $"{k} nearest neighbours",
            Scores = ResultRow.ScoresOf(score),
            Settings = new Dictionary<string, double> { ["neighbours"] = k, ["temperature"] = options.Temperature },
        })];
    }
}
