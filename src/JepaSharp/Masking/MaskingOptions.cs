using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>What is context and what is to be predicted: the strategies that the paper compares (table 6).</summary>
public enum MaskStrategy
{
    /// <summary>A few target blocks, and a large context block without them: the method itself (section 3).</summary>
    MultiBlock,

    /// <summary>The four quarters of the image: one is context, the other three are targets.</summary>
    Rasterized,

    /// <summary>One large target block; everything outside it is context.</summary>
    Block,

    /// <summary>One target of patches drawn one by one; all others are context.</summary>
    Random,
}

/// <summary>What masks are drawn, and on which grid. Every strategy has options of its own: see the records that derive from this.</summary>
public abstract record MaskingOptions
{
    /// <summary>The patch grid of every image.</summary>
    public required PatchGrid Grid { get; init; }

    /// <summary>Fewest patches of context (<c>min_keep</c>). Of several blocks in reference mode, context and target masks must hold more than
    /// this.</summary>
    public int MinKeep { get; init; } = 10;

    /// <summary>Everything that is wrong with these options, one full sentence each; empty if they can be sampled from.</summary>
    /// <remarks>Among others a grid that leaves fewer than <see cref="MinKeep"/> patches, with the nearest that would work.</remarks>
    public IReadOnlyList<string> Problems()
    {
        var problems = BadValues().Select(problem => problem.ToString()).ToList();
        if (Grid.Count < 1) problems.Add("The patch grid is empty.");
        if (problems.Count == 0 && MaskFeasibility.Problem(this) is { } problem) problems.Add(problem);
        return problems;
    }

    /// <summary>What to change where no grid has room.</summary>
    internal abstract MaskRemedy Remedy { get; }

    /// <summary>The values that cannot be meant, whatever the grid.</summary>
    internal virtual IEnumerable<MaskProblem> BadValues()
    {
        if (MinKeep < 1) yield return MaskProblem.AtLeast1("min_keep", MinKeep);
    }

    /// <summary>How masks are drawn from these options.</summary>
    internal abstract MaskRule Rule();
}

/// <summary>A value among masking options that cannot be meant, whatever the grid.</summary>
/// <param name="Option">The option as YAML calls it.</param>
/// <param name="Found">Its value.</param>
/// <param name="Expected">What it may be.</param>
internal readonly record struct MaskProblem(string Option, string Found, string Expected)
{
    public static MaskProblem AtLeast1(string option, int value) => new(option, $"{value}", "1 or more");

    public static MaskProblem? OfShare(string option, Interval range) =>
        IsRange(range, 1) ? null : new(option, $"{range}", "[low, high] with low <= high, both in (0, 1]");

    public static MaskProblem? OfAspect(string option, Interval range) =>
        IsRange(range, double.MaxValue) ? null : new(option, $"{range}", "[low, high] with low <= high, both above 0");

    public override string ToString() => $"{Option} is {Found}; expected {Expected}.";

    private static bool IsRange(Interval range, double largest) => range.Low > 0 && range.Low <= range.High && range.High <= largest;
}

/// <summary>Options to raise and to lower where no grid has room for the masks, as YAML calls them.</summary>
internal sealed record MaskRemedy(IReadOnlyList<string> Raised, IReadOnlyList<string> Lowered);
