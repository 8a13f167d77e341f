using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>What multi-block masks are drawn: the paper's defaults (section 3, appendix A.1).</summary>
public sealed record MultiBlockMaskingOptions
{
    /// <summary>The patch grid of every image.</summary>
    public required PatchGrid Grid { get; init; }

    /// <summary>Share of the grid that a context block covers, before targets are taken out (<c>enc_mask_scale</c>).</summary>
    public Interval ContextScale { get; init; } = new(0.85, 1.0);

    /// <summary>Share of the grid that a target block covers (<c>pred_mask_scale</c>).</summary>
    public Interval TargetScale { get; init; } = new(0.15, 0.2);

    /// <summary>Height over width of a target block (<c>aspect_ratio</c>); context blocks are square.</summary>
    public Interval TargetAspect { get; init; } = new(0.75, 1.5);

    /// <summary>Mc, context blocks an image (<c>num_enc_masks</c>).</summary>
    public int ContextBlocks { get; init; } = 1;

    /// <summary>Mt, target blocks an image (<c>num_pred_masks</c>).</summary>
    public int TargetBlocks { get; init; } = 4;

    /// <summary>Fewest patches of context (<c>min_keep</c>). In reference mode context and target masks must hold more than this.</summary>
    public int MinKeep { get; init; } = 10;

    /// <summary>Whether context may hold patches that are also targets (<c>allow_overlap</c>).</summary>
    public bool AllowOverlap { get; init; }

    /// <summary>The paper's masks (default) or the published code's (<c>compatibility</c>).</summary>
    public MaskCompatibility Compatibility { get; init; }

    /// <summary>Everything that is wrong with these options, one full sentence each; empty if they can be sampled from.</summary>
    /// <remarks>Among others a grid too small to leave <see cref="MinKeep"/> patches, with the smallest that would work.</remarks>
    public IReadOnlyList<string> Problems()
    {
        var problems = BadValues().Select(problem => problem.ToString()).ToList();
        if (Grid.Count < 1) problems.Add("The patch grid is empty.");
        if (problems.Count == 0 && MaskFeasibility.Problem(this) is { } problem) problems.Add(problem);
        return problems;
    }

    /// <summary>The values that cannot be meant, whatever the grid.</summary>
    internal IEnumerable<MaskProblem> BadValues()
    {
        if (NotFrom1(ContextBlocks)) yield return AtLeast1("num_enc_masks", ContextBlocks);
        if (NotFrom1(TargetBlocks)) yield return AtLeast1("num_pred_masks", TargetBlocks);
        if (NotFrom1(MinKeep)) yield return AtLeast1("min_keep", MinKeep);
        if (NoRange(ContextScale, 1)) yield return Share("enc_mask_scale", ContextScale);
        if (NoRange(TargetScale, 1)) yield return Share("pred_mask_scale", TargetScale);
        if (NoRange(TargetAspect, double.MaxValue)) yield return new("aspect_ratio", $"{TargetAspect}", "[low, high] with low <= high, both above 0");

        static bool NotFrom1(int value) => value < 1;
        static MaskProblem AtLeast1(string option, int value) => new(option, $"{value}", "1 or more");
        static bool NoRange(Interval range, double largest) => !(range.Low > 0 && range.Low <= range.High && range.High <= largest);
        static MaskProblem Share(string option, Interval range) => new(option, $"{range}", "[low, high] with low <= high, both in (0, 1]");
    }
}

/// <summary>A value among masking options that cannot be meant, whatever the grid.</summary>
/// <param name="Option">The option as YAML calls it.</param>
/// <param name="Found">Its value.</param>
/// <param name="Expected">What it may be.</param>
internal readonly record struct MaskProblem(string Option, string Found, string Expected)
{
    public override string ToString() => $"{Option} is {Found}; expected {Expected}.";
}

/// <summary>Whose multi-block masks are drawn where the paper and the published code differ.</summary>
public enum MaskCompatibility
{
    /// <summary>The distribution that the paper states (section 3 and appendix A.1).</summary>
    Paper,

    /// <summary>
    /// The published code's: the last row and column of patches are in no block, a block is smaller than the grid, one random number
    /// sets both scale and aspect, and a batch is cut to its shortest mask by dropping the highest indices.
    /// </summary>
    Reference,
}

/// <summary>How blocks are drawn: what the paper's and the published code's masks have in common to a sampler.</summary>
internal abstract class MultiBlockRule(MultiBlockMaskingOptions options)
{
    protected MultiBlockMaskingOptions Options { get; } = options;

    protected PatchGrid Grid => Options.Grid;

    public static MultiBlockRule Of(MultiBlockMaskingOptions options)
        => options.Compatibility == MaskCompatibility.Reference ? new ReferenceBlocks(options) : new PaperBlocks(options);

    /// <summary>
    /// Sizes that can be drawn and leave too few patches, in words; null where every size leaves enough, so that drawing always ends.
    /// </summary>
    public abstract string? Obstacle();

    /// <summary>Draws the sizes of a batch's blocks.</summary>
    public abstract BlockSizes DrawSizes(ref RandomStream sizes);

    /// <summary>Draws one image's blocks.</summary>
    /// <param name="positions">The image's stream.</param>
    /// <param name="sizes">The batch's sizes.</param>
    /// <param name="targets">Receives the target blocks, [Mt].</param>
    /// <param name="context">Receives the context indices, [Mc, context block size], each mask from the start of its row.</param>
    /// <param name="lengths">Receives the context lengths, [Mc].</param>
    /// <param name="map">Scratch, [N].</param>
    public abstract void DrawImage(
        ref RandomStream positions, BlockSizes sizes, Span<PatchBlock> targets, Span<long> context, Span<int> lengths, Span<byte> map);

    /// <summary>Cuts a context mask to the batch's length.</summary>
    /// <param name="positions">The image's stream, after <see cref="DrawImage"/>.</param>
    /// <param name="mask">[n], ascending.</param>
    /// <param name="kept">Receives Kc of the n, ascending.</param>
    public abstract void Cut(ref RandomStream positions, ReadOnlySpan<long> mask, Span<long> kept);
}

/// <summary>Whether masks can be drawn from options at all, and on which grid they could.</summary>
public static class MaskFeasibility
{
    private const int LargestSide = 128;

    /// <summary>
    /// Why drawing could go on for ever on the options' grid, as the rest of a sentence with blocks that can be drawn; null where it always ends.
    /// </summary>
    /// <param name="options">Every value in its range by itself.</param>
    public static string? Explain(MultiBlockMaskingOptions options) => MultiBlockRule.Of(options).Obstacle();

    /// <summary>
    /// The smallest grid with the options' proportions on which drawing always ends; null where none of up to 128 patches a side is.
    /// </summary>
    /// <param name="options">Every value in its range by itself.</param>
    public static PatchGrid? SmallestGrid(MultiBlockMaskingOptions options)
    {
        var longer = Math.Max(options.Grid.Height, options.Grid.Width);
        for (var side = 1; side <= LargestSide; side++)
        {
            var grid = new PatchGrid(Scaled(options.Grid.Height), Scaled(options.Grid.Width));
            if (Explain(options with { Grid = grid }) is null) return grid;

            int Scaled(int length) => Math.Max(1, (int)Math.Round((double)length * side / longer, MidpointRounding.AwayFromZero));
        }

        return null;
    }

    /// <summary>What is wrong with the options' grid and what would do, in whole sentences; null where nothing is.</summary>
    internal static string? Problem(MultiBlockMaskingOptions options)
    {
        if (Explain(options) is not { } obstacle) return null;
        var found = $"A grid of {options.Grid} patches cannot be masked: {obstacle}.";
        return SmallestGrid(options) is { } grid
            ? $"{found} The smallest grid of this shape that works is {grid}: use a larger image or a smaller patch, or lower min_keep."
            : $"{found} No grid of up to {LargestSide} patches a side would do: lower min_keep or the target scale (pred_mask_scale), "
                + "or raise the context scale (enc_mask_scale).";
    }
}
