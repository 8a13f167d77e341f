namespace JepaSharp.Monitoring;

/// <summary>The signs of collapse that cost least, taken between readings: one batch of the sample through the encoder, and nothing else.</summary>
/// <param name="ConstantLoss">The loss of the best predictor that says the same of every patch of these images; NaN where the objective has none.</param>
/// <param name="PositionLoss">The loss of the best predictor that knows where a patch is, and nothing of the image; NaN where the objective has none.</param>
public sealed record MonitorGlance(double ConstantLoss, double PositionLoss)
{
    private const string Prefix = MonitorReading.Prefix + "glance_";
    private const string Constant = Prefix + "constant_loss", Position = Prefix + "position_loss", Rank = Prefix + "rankme", Cosine = Prefix + "mean_cosine";

    /// <summary>Directions used by the pooled features of these images; NaN where the objective has signs of its own.</summary>
    public double RankMe { get; init; } = double.NaN;

    /// <summary>Mean cosine between the pooled features of different images; NaN where the objective has signs of its own.</summary>
    public double MeanCosine { get; init; } = double.NaN;

    /// <summary>A glance at what the objective says of itself, or, where it says nothing, at the features.</summary>
    internal static MonitorGlance Of(IReadOnlyDictionary<string, double> own, double rankMe, double meanCosine) =>
        own.TryGetValue("constant_loss", out var constant) && own.TryGetValue("position_loss", out var position)
            ? new MonitorGlance(constant, position)
            : new MonitorGlance(double.NaN, double.NaN) { RankMe = rankMe, MeanCosine = meanCosine };

    /// <summary>The glance as named values, as observers, <c>measures.csv</c> and TensorBoard carry it.</summary>
    public IReadOnlyDictionary<string, double> ToMeasures() => double.IsNaN(ConstantLoss)
        ? new Dictionary<string, double> { [Rank] = RankMe, [Cosine] = MeanCosine }
        : new Dictionary<string, double> { [Constant] = ConstantLoss, [Position] = PositionLoss };

    /// <summary>The glance among named values, or null where they are other measures.</summary>
    public static MonitorGlance? From(IReadOnlyDictionary<string, double> measures)
    {
        ArgumentNullException.ThrowIfNull(measures);
        if (measures.TryGetValue(Constant, out var constant) && measures.TryGetValue(Position, out var position)) return new MonitorGlance(constant, position);
        return measures.TryGetValue(Rank, out var rank) && measures.TryGetValue(Cosine, out var cosine)
            ? new MonitorGlance(double.NaN, double.NaN) { RankMe = rank, MeanCosine = cosine }
            : null;
    }
}
