namespace JepaSharp.Evaluation;

/// <summary>How often a probe named the right class.</summary>
/// <param name="Accuracy">Share of images, 0 to 1.</param>
/// <param name="MeanPerClassAccuracy">Mean over the classes that occur of each one's share, 0 to 1.</param>
/// <param name="Images">Images scored.</param>
/// <param name="ClassesSeen">Classes that occur among them.</param>
public sealed record ClassificationScore(double Accuracy, double MeanPerClassAccuracy, int Images, int ClassesSeen)
{
    /// <summary>Compares predictions with the truth, both [n].</summary>
    internal static ClassificationScore Of(ReadOnlySpan<int> predicted, ReadOnlySpan<int> truth, int classes)
    {
        var (right, all) = (new int[classes], new int[classes]);
        for (var i = 0; i < truth.Length; i++)
        {
            all[truth[i]]++;
            if (predicted[i] == truth[i]) right[truth[i]]++;
        }

        var seen = Enumerable.Range(0, classes).Where(c => all[c] > 0).ToArray();
        return new ClassificationScore((double)right.Sum() / truth.Length, seen.Average(c => (double)right[c] / all[c]), truth.Length, seen.Length);
    }
}
