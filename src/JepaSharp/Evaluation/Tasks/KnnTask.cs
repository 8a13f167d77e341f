using JepaSharp.Evaluation.Probes;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Tasks;

/// <summary>
/// Nearest neighbours at one k, which counts, and at others beside it, none above the number of images to fit on. Nothing is chosen.
/// </summary>
/// <param name="options">k, temperature and centring.</param>
/// <param name="others">Further k to report.</param>
public sealed class KnnTask(KnnOptions options, IReadOnlyList<int> others) : ProbeTask
{
    private int _fewest = int.MaxValue;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notes
    {
        get
        {
            var few = $"there {(_fewest == 1 ? "is" : "are")} only {Quantity.Of(_fewest, "image")} to fit on";
            if (options.Neighbours > _fewest)
                return [$"{Quantity.Of(options.Neighbours, "neighbour was", "neighbours were")} asked for, and {few}: all of them vote"];
            int[] left = [.. others.Where(k => k >= _fewest && k != options.Neighbours)];
            return left.Length == 0 ? [] : [$"no rows of {string.Join(" and ", left)} neighbours: {few}"];
        }
    }

    /// <inheritdoc/>
    public override string Name => "knn";

    /// <inheritdoc/>
    public override object Recipe => new { options.Neighbours, options.Temperature, options.CentreOnFitMean, OtherNeighbours = others };

    /// <inheritdoc/>
    protected override IReadOnlyList<ResultRow> Rows(LabelledFeatures features)
    {
        var most = features.Fit.Count;
        _fewest = Math.Min(_fewest, most);
        var asked = Math.Min(options.Neighbours, most);
        int[] neighbours = features.Kind != FeatureKind.Encoder ? [asked] : [asked, .. others.Where(k => k < most && k != asked)];
        var scores = features.Test.Score(KnnProbe.Fit(features.Fit, options), neighbours);
        return [.. neighbours.Zip(scores, (k, score) => new ResultRow
        {
            Features = features.Name,
            Probe = k == most ? $"all {k} images to fit on, as neighbours" : k == 1 ? "1 nearest neighbour" : $"{k} nearest neighbours",
            Scores = ResultRow.ScoresOf(score),
            Settings = new Dictionary<string, double> { ["neighbours"] = k, ["temperature"] = options.Temperature },
        })];
    }
}
