namespace JepaSharp.Evaluation.Tasks;

/// <summary>Chooses among kinds of features, as the paper does between the last layer and the last four, but on held-out fit data.</summary>
public static class FeatureChoice
{
    /// <summary>The rows, one of them marked: the one with the best held-out result, or the only one. Baselines take no part.</summary>
    /// <remarks>Where several were tried without holding anything out, the first counts.</remarks>
    public static IReadOnlyList<ResultRow> Mark(IReadOnlyList<ResultRow> rows)
    {
        var candidates = rows.Index().Where(row => !row.Item.IsBaseline).ToList();
        if (candidates.Count == 0) return rows;
        var chosen = candidates.TrueForAll(row => row.Item.HeldOut is not null) ? candidates.MaxBy(row => row.Item.HeldOut).Index : candidates[0].Index;
        return [.. rows.Index().Select(row => row.Index == chosen ? row.Item with { IsChosen = true } : row.Item)];
    }
}
