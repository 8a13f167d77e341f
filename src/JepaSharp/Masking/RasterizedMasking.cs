using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>The quarter of an image that is its context in rasterized masks.</summary>
public enum ContextQuadrant
{
    /// <summary>One of the four, drawn for each image, so that every position is learned in both roles.</summary>
    Any,

    /// <summary>Always the top left one.</summary>
    TopLeft,

    /// <summary>Always the top right one.</summary>
    TopRight,

    /// <summary>Always the bottom left one.</summary>
    BottomLeft,

    /// <summary>Always the bottom right one.</summary>
    BottomRight,
}

/// <summary>What rasterized masks are drawn: the grid in four quarters, of which one is context and three are targets (paper, table 6).</summary>
/// <remarks>The paper does not say which quarter is the context. Both sides of the grid must be even: all masks have N/4 patches.</remarks>
public sealed record RasterizedMaskingOptions : MaskingOptions
{
    /// <summary>Which quarter is the context (<c>context_quadrant</c>).</summary>
    public ContextQuadrant Context { get; init; }

    internal override MaskRemedy Remedy => new([], ["min_keep"]);

    internal override MaskRule Rule() => new RasterizedRule(this);
}

/// <summary>Quarters.</summary>
internal sealed class RasterizedRule(RasterizedMaskingOptions options) : MaskRule
{
    private const int Quadrants = 4;

    public override int ContextBlocks => 1;

    public override int TargetBlocks => Quadrants - 1;

    public override string? Obstacle()
    {
        var grid = options.Grid;
        if (grid.Height % 2 != 0 || grid.Width % 2 != 0) return "only even numbers of rows and columns can be cut into four equal quarters";
        var patches = grid.Count / Quadrants;
        return patches >= options.MinKeep ? null : $"a quarter holds {patches}, fewer than min_keep = {options.MinKeep}";
    }

    public override GroupRule DrawGroup(ref RandomStream sizes) => new Quarters(options);

    private sealed class Quarters(RasterizedMaskingOptions options) : GroupRule(options.Grid.Count / Quadrants, options.Grid.Count / Quadrants)
    {
        public override void DrawImage(ref RandomStream positions, Span<long> targets, Span<long> context, Span<int> lengths, Span<byte> map)
        {
            var chosen = options.Context == ContextQuadrant.Any ? positions.NextInt(Quadrants) : (int)options.Context - (int)ContextQuadrant.TopLeft;
            var at = 0;
            for (var quadrant = 0; quadrant < Quadrants; quadrant++)
            {
                var patches = quadrant == chosen ? context : targets.Slice(TargetLength * at++, TargetLength);
                BlockOf(quadrant).WriteIndices(options.Grid, patches);
            }

            lengths[0] = ContextRoom;
        }

        /// <summary>Row by row from the top left: 0, 1, 2, 3.</summary>
        private PatchBlock BlockOf(int quadrant)
        {
            int height = options.Grid.Height / 2, width = options.Grid.Width / 2;
            return new PatchBlock(quadrant / 2 * height, quadrant % 2 * width, height, width);
        }
    }
}
