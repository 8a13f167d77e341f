namespace JepaSharp.Monitoring;

/// <summary>What the monitors say of a run at one moment; taken on a fixed sample of the training images, without labels.</summary>
/// <remarks>NaN, and left out of what is written, is what was not measured: not every objective has a constant to be compared with, or views for
/// LiDAR.</remarks>
/// <param name="Loss">The objective on the sample, with draws that never change.</param>
/// <param name="ConstantLoss">The loss of the best predictor that says the same of every patch of every image.</param>
/// <param name="PositionLoss">The loss of the best predictor that knows where a patch is, and nothing of the image.</param>
/// <param name="RankMe">Directions used by the encoder's pooled features, 1 to min(n, D).</param>
/// <param name="Lidar">Directions in which images differ more than views of one image do, 1 to min(n, D).</param>
/// <param name="Deviation">Mean over pooled features of the deviation over images.</param>
/// <param name="MeanCosine">Mean cosine between pooled features of different images.</param>
public sealed record MonitorReading(
    double Loss, double ConstantLoss, double PositionLoss, double RankMe, double Lidar, double Deviation, double MeanCosine)
{
    internal const string Prefix = "monitor/";
    private const string Rank = "rankme";
    private static readonly string[] Known = ["loss", "constant_loss", "position_loss", Rank, "lidar", "feature_deviation", "mean_cosine"];

    /// <summary>What else the objective said of itself, by name.</summary>
    public IReadOnlyDictionary<string, double> Others { get; init; } = new Dictionary<string, double>();

    /// <summary>A reading of what the objective says of itself and what is said of any encoder.</summary>
    internal static MonitorReading Of(IReadOnlyDictionary<string, double> own, double rankMe, double lidar, double deviation, double meanCosine)
    {
        double Own(string name) => own.TryGetValue(name, out var value) ? value : double.NaN;
        return new MonitorReading(Own("loss"), Own("constant_loss"), Own("position_loss"), rankMe, lidar, deviation, meanCosine)
        {
            Others = own.Where(pair => !Known.Contains(pair.Key)).ToDictionary(),
        };
    }

    /// <summary>The reading as named values, as observers, <c>measures.csv</c> and TensorBoard carry it.</summary>
    public IReadOnlyDictionary<string, double> ToMeasures()
    {
        double[] values = [Loss, ConstantLoss, PositionLoss, RankMe, Lidar, Deviation, MeanCosine];
        var measures = new OrderedDictionary<string, double>();
        foreach (var (name, value) in Known.Zip(values).Where(pair => !double.IsNaN(pair.Second))) measures[Prefix + name] = value;
        foreach (var (name, value) in Others) measures[Prefix + name] = value;
        return measures;
    }

    /// <summary>The reading among named values, or null where they are other measures.</summary>
    public static MonitorReading? From(IReadOnlyDictionary<string, double> measures)
    {
        ArgumentNullException.ThrowIfNull(measures);
        if (!measures.ContainsKey(Prefix + Rank)) return null;
        var own = measures.Where(pair => Names(pair.Key)).ToDictionary(pair => pair.Key[Prefix.Length..], pair => pair.Value);
        double Value(string name) => own.GetValueOrDefault(name, double.NaN);
        return Of(own, Value(Rank), Value("lidar"), Value("feature_deviation"), Value("mean_cosine"));
    }

    /// <summary>Whether a measure's name is that of a monitor.</summary>
    public static bool Names(string measure) => measure.StartsWith(Prefix, StringComparison.Ordinal);
}

/// <summary>The signs of collapse that cost least, taken between readings: one batch of the sample through the encoder, and nothing else.</summary>
/// <param name="ConstantLoss">The loss of the best predictor that says the same of every patch of these images; NaN where the objective has
/// none.</param>
/// <param name="PositionLoss">The loss of the best predictor that knows where a patch is, and nothing of the image; NaN where the objective has
/// none.</param>
public sealed record MonitorGlance(double ConstantLoss, double PositionLoss)
{
    private const string Prefix = MonitorReading.Prefix + "glance_";
    private const string Constant = Prefix + "constant_loss", Position = Prefix + "position_loss", Rank = Prefix + "rankme",
    Cosine = Prefix + "mean_cosine";

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
        if (measures.TryGetValue(Constant, out var constant) && measures.TryGetValue(Position, out var position))
            return new MonitorGlance(constant, position);
        return measures.TryGetValue(Rank, out var rank) && measures.TryGetValue(Cosine, out var cosine)
            ? new MonitorGlance(double.NaN, double.NaN) { RankMe = rank, MeanCosine = cosine }
            : null;
    }
}
