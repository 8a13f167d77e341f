namespace JepaSharp.Monitoring;

/// <summary>The two signs of collapse that cost least, taken between readings: one batch of the sample through the target encoder, no predictor.</summary>
/// <param name="ConstantLoss">The loss of the best predictor that says the same of every patch of these images.</param>
/// <param name="PositionLoss">The loss of the best predictor that knows where a patch is, and nothing of the image.</param>
public sealed record MonitorGlance(double ConstantLoss, double PositionLoss)
{
    private const string Constant = MonitorReading.Prefix + "glance_constant_loss", Position = MonitorReading.Prefix + "glance_position_loss";

    /// <summary>The glance as named values, as observers, <c>measures.csv</c> and TensorBoard carry it.</summary>
    public IReadOnlyDictionary<string, double> ToMeasures() => new Dictionary<string, double> { [Constant] = ConstantLoss, [Position] = PositionLoss };

    /// <summary>The glance among named values, or null where they are other measures.</summary>
    public static MonitorGlance? From(IReadOnlyDictionary<string, double> measures)
    {
        ArgumentNullException.ThrowIfNull(measures);
        return measures.TryGetValue(Constant, out var constant) && measures.TryGetValue(Position, out var position) ? new MonitorGlance(constant, position) : null;
    }
}
