namespace JepaSharp.Monitoring;

/// <summary>What the monitors say of a run at one moment; taken on a fixed sample of the training images, without labels.</summary>
/// <param name="Loss">The objective on the sample, with masks that never change.</param>
/// <param name="ConstantLoss">The loss of the best predictor that says the same of every patch of every image.</param>
/// <param name="PositionLoss">The loss of the best predictor that knows where a patch is, and nothing of the image.</param>
/// <param name="RankMe">Directions used by the target encoder's pooled features, 1 to min(n, D).</param>
/// <param name="Lidar">Directions in which images differ more than views of one image do, 1 to min(n, D).</param>
/// <param name="Deviation">Mean over pooled target features of the deviation over images.</param>
/// <param name="MeanCosine">Mean cosine between pooled target features of different images.</param>
public sealed record MonitorReading(
    double Loss, double ConstantLoss, double PositionLoss, double RankMe, double Lidar, double Deviation, double MeanCosine)
{
    internal const string Prefix = "monitor/";

    /// <summary>The reading as named values, as observers, <c>measures.csv</c> and TensorBoard carry it.</summary>
    public IReadOnlyDictionary<string, double> ToMeasures() => new Dictionary<string, double>
    {
        [Prefix + "loss"] = Loss,
        [Prefix + "constant_loss"] = ConstantLoss,
        [Prefix + "position_loss"] = PositionLoss,
        [Prefix + "rankme"] = RankMe,
        [Prefix + "lidar"] = Lidar,
        [Prefix + "feature_deviation"] = Deviation,
        [Prefix + "mean_cosine"] = MeanCosine,
    };

    /// <summary>The reading among named values, or null where they are other measures.</summary>
    public static MonitorReading? From(IReadOnlyDictionary<string, double> measures)
    {
        ArgumentNullException.ThrowIfNull(measures);
        double Value(string name) => measures.TryGetValue(Prefix + name, out var value) ? value : double.NaN;
        return measures.ContainsKey(Prefix + "loss")
            ? new MonitorReading(
                Value("loss"), Value("constant_loss"), Value("position_loss"), Value("rankme"), Value("lidar"), Value("feature_deviation"), Value("mean_cosine"))
            : null;
    }

    /// <summary>Whether a measure's name is that of a monitor.</summary>
    public static bool Names(string measure) => measure.StartsWith(Prefix, StringComparison.Ordinal);
}
