using System.Globalization;
using JepaSharp.Masking;

namespace JepaSharp.Objectives;

/// <summary>How much of an image masks show and ask for, over a number of micro-batches.</summary>
/// <param name="Grid">The patch grid.</param>
/// <param name="Context">Share of the patches in a context, on average.</param>
/// <param name="Fewest">Fewest patches in a context.</param>
/// <param name="Most">Most patches in a context.</param>
/// <param name="Targets">Targets an image.</param>
/// <param name="Target">Share of the patches in a target, on average.</param>
/// <param name="Asked">Share of the patches in any target of an image, on average.</param>
public sealed record MaskSurvey(PatchGrid Grid, double Context, int Fewest, int Most, int Targets, double Target, double Asked)
{
    private const int Batches = 64;

    /// <summary>Micro-batches that belong to different groups of images, whatever the size of those.</summary>
    private const int Stride = 97;

    /// <summary>Surveys masks as a run draws them.</summary>
    /// <param name="draw">Draws them.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="images">B, images in a micro-batch.</param>
    public static MaskSurvey Of(MaskDraw draw, ulong seed, int images)
    {
        ArgumentNullException.ThrowIfNull(draw);
        long[] indices = [.. Enumerable.Range(0, images).Select(i => (long)i)];
        List<MaskBatch> drawn = [.. Enumerable.Range(0, Batches).Select(k => draw(seed, (long)k * Stride, indices))];
        var grid = drawn[0].Grid;
        return new MaskSurvey(
            grid, drawn.Average(m => (double)m.ContextLength) / grid.Count, drawn.Min(m => m.ContextLength), drawn.Max(m => m.ContextLength),
            drawn[0].TargetBlocks, drawn.Average(m => (double)m.TargetLength) / grid.Count, drawn.Average(Union) / grid.Count);
    }

    /// <summary>For instance: each context 0.26 of 14x14 patches (42 to 58); 4 targets of 0.18, together 0.44.</summary>
    public override string ToString()
    {
        var range = Fewest == Most ? $"{Fewest}" : $"{Fewest} to {Most}";
        var targets = Targets == 1 ? "one target of" : $"{Targets} targets of";
        return string.Create(CultureInfo.InvariantCulture,
            $"each context {Context:0.00} of {Grid} patches ({range}); {targets} {Target:0.00}{(Targets == 1 ? "" : $", together {Asked:0.00}")}");
    }

    private static double Union(MaskBatch masks) => Enumerable.Range(0, masks.Batch).Average(image =>
        (double)Enumerable.Range(0, masks.TargetBlocks).SelectMany(t => masks.Target(t, image).ToArray()).Distinct().Count());
}
