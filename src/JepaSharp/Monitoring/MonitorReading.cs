namespace JepaSharp.Monitoring;

/// <summary>What the monitors say of a run at one moment; taken on a fixed sample of the training images, without labels.</summary>
/// <remarks>NaN, and left out of what is written, is what was not measured: not every objective has a constant to be compared with, or views for LiDAR.</remarks>
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
