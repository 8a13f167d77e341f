using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Heads;

/// <summary>Labelled images divided into those that fit, those that choose and those that score, the same share of every class.</summary>
/// <param name="Fit">Rows to fit on while kinds are compared, ascending.</param>
/// <param name="Choose">Rows to choose on, ascending.</param>
/// <param name="Score">Rows to score on, ascending; none where there is a test set.</param>
/// <param name="Sentence">The division in words.</param>
internal sealed record HeadDivision(int[] Fit, int[] Choose, int[] Score, string Sentence)
{
    private const double Share = 0.2;
    private const string Enough = "or give images to score on with --test.";

    /// <summary>All rows that the head is fitted on in the end: those that fitted and those that chose, ascending.</summary>
    public int[] Kept => [.. Fit.Concat(Choose).Order()];

    /// <summary>Divides: a fifth scores, unless there is a test set, and a fifth of the rest chooses.</summary>
    /// <param name="labels">[n].</param>
    /// <param name="classes">K; 1 for numbers.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <param name="test">Images of the test set, and what it is called; null for none.</param>
    /// <exception cref="JepaException">There are too few images.</exception>
    public static HeadDivision Of(int[] labels, int classes, ulong seed, (int Images, string Name)? test)
    {
        var counts = new int[classes];
        foreach (var label in labels) counts[label]++;
        var most = counts.Max();
        var needed = test is null ? 3 : 2;
        if (most < needed)
            throw new JepaException(
                $"Found at most {Quantity.Of(most, "labelled image")} {(classes == 1 ? "" : "of a class ")}that can be read; one is needed to fit on "
                    + $"and one to choose on{(test is null ? ", and one to score on. Label more of them, " + Enough : ". Label more of them.")}",
                isUsage: true);
        var rest = Enumerable.Range(0, labels.Length).ToArray();
        int[] score = [];
        if (test is null)
        {
            var split = HeldOutSplit.ByClass(labels, classes, Share, seed);
            (rest, score) = (split.Fit, split.HeldOut);
        }

        var inner = HeldOutSplit.ByClass(Array.ConvertAll(rest, row => labels[row]), classes, Share, seed + 1);
        var (fit, choose) = (Array.ConvertAll(inner.Fit, i => rest[i]), Array.ConvertAll(inner.HeldOut, i => rest[i]));
        var alike = classes == 1 ? "" : ", the same share of every class";
        var scored = test is { } set
            ? $"{set.Images:n0} of {set.Name} score"
            : $"{score.Length:n0} score";
        return new HeadDivision(fit, choose, score,
            $"Of {labels.Length:n0} images with a {(classes == 1 ? "number" : "label")}, {choose.Length:n0} choose"
                + $"{(test is null ? $" and {scored}" : "")}{alike}; heads are compared when fitted on the other "
                + $"{fit.Length:n0}, and the one kept is fitted on {fit.Length + choose.Length:n0}"
                + $"{(test is null ? "" : $"; {scored}")}.");
    }
}
