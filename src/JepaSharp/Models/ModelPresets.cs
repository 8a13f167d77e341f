namespace JepaSharp.Models;

/// <summary>The named encoder sizes, as data.</summary>
/// <remarks>
/// Widths, depths and heads: Dosovitskiy et al., 2021 (base, large, huge), Touvron et al., 2021 (tiny, small), and the published
/// I-JEPA code (giant: Zhai et al., 2022, with MLP ratio 48/11 and 16 heads).
/// </remarks>
public static class ModelPresets
{
    private static readonly (string Name, int Width, int Depth, int Heads, double MlpRatio)[] Table =
    [
        ("vit_tiny", 192, 12, 3, 4),
        ("vit_small", 384, 12, 6, 4),
        ("vit_base", 768, 12, 12, 4),
        ("vit_large", 1024, 24, 16, 4),
        ("vit_huge", 1280, 32, 16, 4),
        ("vit_giant", 1408, 40, 16, 48.0 / 11),
    ];

    /// <summary>Known names, smallest first.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Table.Select(row => row.Name)];

    /// <summary>The shape of a named encoder for square images.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="imageSize">H = W in pixels.</param>
    /// <param name="patchSize">P in pixels.</param>
    /// <exception cref="ArgumentException">The name is unknown, or the image is not a whole number of patches.</exception>
    public static VisionTransformerShape Encoder(string name, int imageSize, int patchSize)
    {
        var row = Array.Find(Table, row => row.Name == name);
        if (row.Name is null) throw new ArgumentException($"Unknown model '{name}'; known are {string.Join(", ", Names)}.", nameof(name));
        return new VisionTransformerShape
        {
            ImageHeight = imageSize,
            ImageWidth = imageSize,
            PatchSize = patchSize,
            Width = row.Width,
            Depth = row.Depth,
            Heads = row.Heads,
            MlpWidth = (int)(row.Width * row.MlpRatio),
        }.Validated();
    }

    /// <summary>The named encoder whose width and depth are nearest to a shape's.</summary>
    internal static string NearestTo(VisionTransformerShape shape) =>
        Table.MinBy(row => Math.Abs(Math.Log((double)row.Width / shape.Width)) + Math.Abs(Math.Log((double)row.Depth / shape.Depth))).Name;
}
