namespace JepaSharp.Configuration;

/// <summary>An encoder that <c>meta.model_name</c> may name.</summary>
/// <remarks>
/// Widths, depths and heads: Dosovitskiy et al., 2021 (base, large, huge), Touvron et al., 2021 (tiny, small), and the published
/// I-JEPA code (giant: Zhai et al., 2022, with MLP ratio 48/11 and 16 heads).
/// </remarks>
/// <param name="Name">What YAML calls it.</param>
/// <param name="Width">D.</param>
/// <param name="Depth">Blocks.</param>
/// <param name="Heads">A.</param>
/// <param name="MlpRatio">Width of the MLP over D.</param>
public sealed record EncoderPreset(string Name, int Width, int Depth, int Heads, double MlpRatio)
{
    /// <summary>Every preset, smallest first.</summary>
    public static IReadOnlyList<EncoderPreset> All { get; } =
    [
        new("vit_tiny", 192, 12, 3, 4),
        new("vit_small", 384, 12, 6, 4),
        new("vit_base", 768, 12, 12, 4),
        new("vit_large", 1024, 24, 16, 4),
        new("vit_huge", 1280, 32, 16, 4),
        new("vit_giant", 1408, 40, 16, 48.0 / 11),
    ];

    /// <summary>Their names, smallest first.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(preset => preset.Name)];
}
