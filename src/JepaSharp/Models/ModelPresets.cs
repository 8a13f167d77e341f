using JepaSharp.Configuration;

namespace JepaSharp.Models;

/// <summary>Shapes of the encoders that have a name: <see cref="EncoderPreset"/>.</summary>
public static class ModelPresets
{
    /// <summary>Known names, smallest first.</summary>
    public static IReadOnlyList<string> Names => EncoderPreset.Names;

    /// <summary>The shape of a named encoder for square images.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="imageSize">H = W in pixels.</param>
    /// <param name="patchSize">P in pixels.</param>
    /// <exception cref="ArgumentException">The name is unknown, or the image is not a whole number of patches.</exception>
    public static VisionTransformerShape Encoder(string name, int imageSize, int patchSize)
    {
        var row = EncoderPreset.All.FirstOrDefault(preset => preset.Name == name)
            ?? throw new ArgumentException($"Unknown model '{name}'; known are {string.Join(", ", Names)}.", nameof(name));
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
        EncoderPreset.All.MinBy(row => Math.Abs(Math.Log((double)row.Width / shape.Width)) + Math.Abs(Math.Log((double)row.Depth / shape.Depth)))!.Name;
}
