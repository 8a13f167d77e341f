using JepaSharp.Runtime;

namespace JepaSharp.Evaluation;

/// <summary>Fit data divided into a part to fit on and a part held out, on which a penalty is chosen. Test data never comes here.</summary>
/// <param name="Fit">Rows to fit on, ascending.</param>
/// <param name="HeldOut">Rows to choose on, ascending.</param>
public sealed record HeldOutSplit(int[] Fit, int[] HeldOut)
{
    /// <summary>Holds out the same share of every class, and never a class's only image.</summary>
    /// <exception cref="JepaException">Every class has one image only.</exception>
    public static HeldOutSplit ByClass(ReadOnlySpan<int> labels, int classes, double share, ulong seed)
    {
        if (!(share > 0 && share < 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "Expected a share between 0 and 1.");
        var rows = new List<int>[classes];
        for (var c = 0; c < classes; c++) rows[c] = [];
        for (var i = 0; i < labels.Length; i++) rows[labels[i]].Add(i);

        var (fit, heldOut) = (new List<int>(), new List<int>());
        for (var c = 0; c < classes; c++)
        {
            var order = rows[c].ToArray();
            new RandomStream(seed, RandomPurpose.Split, sample: c).Shuffle<int>(order);
            var held = order.Length < 2 ? 0 : Math.Clamp((int)Math.Round(share * order.Length), 1, order.Length - 1);
            heldOut.AddRange(order[..held]);
            fit.AddRange(order[held..]);
        }

        return Sorted(fit, heldOut);
    }

    /// <summary>Holds out a share of <paramref name="count"/> images.</summary>
    public static HeldOutSplit OfAll(int count, double share, ulong seed) => ByClass(new int[count], 1, share, seed);

    private static HeldOutSplit Sorted(List<int> fit, List<int> heldOut)
    {
        if (heldOut.Count == 0)
            throw new JepaException(
                "There are too few images to hold some out and choose a penalty on them: every class has one. Give a single penalty.", isUsage: true);
        fit.Sort();
        heldOut.Sort();
        return new HeldOutSplit([.. fit], [.. heldOut]);
    }
}
