using System.Globalization;

namespace JepaSharp.Evaluation.Tasks;

/// <summary>What an encoder is worth beside the pixels that it was given, in words.</summary>
public static class RawPixelRival
{
    /// <summary>What the encoder's features and raw pixels side by side are called.</summary>
    public const string SideBySide = "encoder and raw pixels, side by side";

    /// <summary>Less than this is chance on a few thousand images.</summary>
    private const double LeastGain = 0.01;

    private const string Accuracy = "accuracy", R2 = "r2";

    /// <summary>Whether raw pixels score higher than the encoder by one probe, so that both side by side are worth a row.</summary>
    /// <param name="rows">Rows of one probe.</param>
    public static bool IsAhead(IReadOnlyList<ResultRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return Compared(rows, Accuracy) is { Pixels: { } pixels, Encoder: { } encoder } && pixels.Scores[Accuracy] > encoder.Scores[Accuracy]
            || Compared(rows, R2) is { Pixels: { } plain, Encoder: { } own } && plain.Scores[R2] > own.Scores[R2];
    }

    /// <summary>A sentence for each kind of score of which there are both: who is ahead, by how much, and what to do if pixels are.</summary>
    /// <param name="rows">All rows of an evaluation, those that count marked.</param>
    public static IEnumerable<string> Said(IReadOnlyList<ResultRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return ((string[])[Accuracy, R2]).Select(name => Sentence(rows, name)).OfType<string>();
    }

    private static string? Sentence(IReadOnlyList<ResultRow> rows, string name)
    {
        if (Compared(rows, name) is not { Encoder: { } encoder, Pixels: { } pixels } compared) return null;
        var (own, rival) = (encoder.Scores[name], pixels.Scores[name]);
        if (own > rival) return $"the encoder is ahead of raw pixels: {Words(name, own)} to {Words(name, rival)}";
        var said = own < rival
            ? $"raw pixels are ahead of the encoder: {Words(name, rival)} to {Words(name, own)}. For this question it is worth less than the images "
                + "that it was given: train it longer, on more images, or begin with weights that know something (jepa pretrain --init)"
            : $"the encoder and raw pixels are level: {Words(name, own)}";
        if (compared.Joined?.Scores[name] is not { } both) return said;
        var most = (both - Math.Max(own, rival)) switch
        {
            > LeastGain => "more than either, so that the encoder does know something that they do not tell",
            < -LeastGain => "less than the better of them by itself",
            _ => "no more than chance from the better of them, so that nothing is lost by leaving the other out",
        };
        return $"{said}. Side by side they reach {Words(name, both)}: {most}";
    }

    private static (ResultRow? Encoder, ResultRow? Pixels, ResultRow? Joined) Compared(IReadOnlyList<ResultRow> rows, string name)
    {
        var scored = rows.Where(row => row.Scores.ContainsKey(name)).ToList();
        var encoder = scored.Find(row => row.IsChosen) ?? scored.Find(row => row.Kind == FeatureKind.Encoder);
        return (encoder, Best(FeatureKind.Pixels), Best(FeatureKind.EncoderWithPixels));

        ResultRow? Best(FeatureKind kind) => scored.Where(row => row.Kind == kind).MaxBy(row => row.Scores[name]);
    }

    private static string Words(string name, double score) => name == Accuracy
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * score:F1}%")
        : string.Create(CultureInfo.InvariantCulture, $"R2 {score:F3}");
}
