using System.Globalization;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Tasks;

/// <summary>Draws small subsets with the same number of images of every class.</summary>
public static class LowShotDraws
{
    /// <summary>Images a class that a share of a set comes to: the share of all, dealt out evenly, as in the 1 % lists of ImageNet.</summary>
    /// <exception cref="JepaException">Less than half an image a class.</exception>
    public static int PerClass(int images, int classes, double share)
    {
        var each = (int)Math.Round(share * images / classes);
        return each >= 1
            ? each
            : throw new JepaException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{100 * share:0.###} % of {images:N0} images of {classes:N0} classes is {share * images:0.##} images, less than one a class. "
                        + $"Give a larger --share, or --per-class N."), isUsage: true);
    }

    /// <summary>Rows of each subset, rising. The same seed gives the same subsets.</summary>
    /// <param name="labels">Class of each image.</param>
    /// <param name="names">Names of the classes, for the message.</param>
    /// <param name="perClass">Images of every class that occurs.</param>
    /// <param name="draws">How many subsets.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <exception cref="JepaException">A class has fewer images.</exception>
    public static IReadOnlyList<int[]> Draw(ReadOnlySpan<int> labels, IReadOnlyList<string> names, int perClass, int draws, ulong seed)
    {
        var rows = new List<int>[names.Count];
        for (var c = 0; c < rows.Length; c++) rows[c] = [];
        for (var i = 0; i < labels.Length; i++) rows[labels[i]].Add(i);
        if (Array.FindIndex(rows, r => r.Count > 0 && r.Count < perClass) is >= 0 and var small)
            throw new JepaException(
                $"Class \"{names[small]}\" has {Quantity.Of(rows[small].Count, "image")}; {perClass:N0} of every class were asked for. Ask for at "
                    + $"most {rows.Where(r => r.Count > 0).Min(r => r.Count):N0}.", isUsage: true);
        var subsets = new int[draws][];
        for (var draw = 0; draw < draws; draw++)
        {
            var subset = new List<int>();
            for (var c = 0; c < rows.Length; c++)
            {
                var order = rows[c].ToArray();
                new RandomStream(seed, RandomPurpose.Split, epoch: draw + 1, sample: c).Shuffle<int>(order);
                subset.AddRange(order.AsSpan(0, Math.Min(perClass, order.Length)));
            }

            subset.Sort();
            subsets[draw] = [.. subset];
        }

        return subsets;
    }
}
