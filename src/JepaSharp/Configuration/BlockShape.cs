namespace JepaSharp.Configuration;

/// <summary>Height and width of a mask block, in patches.</summary>
/// <remarks>
/// For a share s of N = rows * columns patches and an aspect ratio a (height over width): height = round(sqrt(s N a)), width = round(sqrt(s N / a)).
/// The paper's mode keeps a block within the grid. Deviation in reference mode, as the published code: s N is rounded down first, and a block is
/// kept strictly smaller than the grid.
/// </remarks>
/// <param name="Height">Rows of patches.</param>
/// <param name="Width">Columns of patches.</param>
public readonly record struct BlockShape(int Height, int Width)
{
    /// <summary>Patches in the block.</summary>
    public int Area => Height * Width;

    /// <summary>The block for a share and an aspect ratio on a grid; 0 high or wide where it rounds to nothing.</summary>
    /// <param name="scale">s, in (0, 1].</param>
    /// <param name="aspect">a, height over width; 1 for a context block.</param>
    /// <param name="rows">Rows of the grid.</param>
    /// <param name="columns">Columns of the grid.</param>
    /// <param name="compatibility">Whose rounding and cap.</param>
    public static BlockShape Of(double scale, double aspect, int rows, int columns, MaskCompatibility compatibility)
    {
        var patches = Patches(scale, rows, columns, compatibility);
        var slack = compatibility == MaskCompatibility.Reference ? 1 : 0;
        return new(
            Math.Min((int)Math.Round(Math.Sqrt(patches * aspect)), rows - slack),
            Math.Min((int)Math.Round(Math.Sqrt(patches / aspect)), columns - slack));
    }

    /// <summary>Every shape that a share can have as the aspect ratio goes from low to high.</summary>
    internal static IEnumerable<BlockShape> All(double scale, ScaleRange aspects, int rows, int columns, MaskCompatibility compatibility)
    {
        // A side changes where its square root passes k + 1/2: at a = (k + 1/2)^2 / (s N) for the height, a = s N / (k + 1/2)^2 for the width.
        // Between two such places the shape is constant, so the middle of every interval shows all shapes.
        var patches = Patches(scale, rows, columns, compatibility);
        var places = Enumerable.Range(0, rows).Select(k => Square(k + 0.5) / patches)
            .Concat(Enumerable.Range(0, columns).Select(k => patches / Square(k + 0.5)))
            .Where(aspect => aspect > aspects.Low && aspect < aspects.High)
            .Append(aspects.Low).Append(aspects.High).Order().ToArray();
        return places.Zip(places.Skip(1), (left, right) => (left + right) / 2)
            .Select(aspect => Of(scale, aspect, rows, columns, compatibility)).Distinct();
    }

    private static double Patches(double scale, int rows, int columns, MaskCompatibility compatibility)
    {
        var patches = scale * rows * columns;
        return compatibility == MaskCompatibility.Reference ? Math.Floor(patches) : patches;
    }

    private static double Square(double value) => value * value;
}
