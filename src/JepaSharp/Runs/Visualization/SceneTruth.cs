using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Data.Sources.Scenes.Rendering;
using JepaSharp.Masking;

namespace JepaSharp.Runs.Visualization;

/// <summary>What is true of a block of a scene whose objects are known.</summary>
internal static class SceneTruth
{
    /// <summary>How many objects have their centre in the block.</summary>
    public const string Count = "objects";

    /// <summary>Red, green and blue of those objects' colours, linear, on average.</summary>
    public const string Colour = "colour";

    /// <summary>Row and column of their centres, on average; 0 to 1 over the block.</summary>
    public const string Place = "place";

    /// <summary>All that is asked.</summary>
    public static IReadOnlyList<string> Questions { get; } = [Count, Colour, Place];

    /// <summary>The true numbers; null where the block holds no object and one is asked about.</summary>
    /// <param name="question">One of <see cref="Questions"/>.</param>
    /// <param name="scene">The scene.</param>
    /// <param name="width">Of its picture, in pixels.</param>
    /// <param name="height">Of its picture, in pixels.</param>
    /// <param name="grid">Patches of the square in the picture's middle.</param>
    /// <param name="block">Some of those patches.</param>
    public static double[]? Of(string question, Scene scene, int width, int height, PatchGrid grid, PatchBlock block)
    {
        var side = Math.Min(width, height);
        // A pixel's middle, in the units of the block: 0 to 1 within it.
        double Within(int pixel, int length, int patches, int first, int count) =>
            ((((pixel + 0.5) - ((length - side) / 2)) / side * patches) - first) / count;
        var inside = scene.Objects.Select(item => (
                item.Color,
                Row: Within(item.Pixel.Y, height, grid.Height, block.Top, block.Height),
                Column: Within(item.Pixel.X, width, grid.Width, block.Left, block.Width)))
            .Where(item => item is { Row: >= 0 and < 1, Column: >= 0 and < 1 }).ToList();
        if (question == Count) return [inside.Count];
        if (inside.Count == 0) return null;
        if (question == Place) return [inside.Average(i => i.Row), inside.Average(i => i.Column)];
        var colours = inside.ConvertAll(i => ScenePalette.Linear(i.Color));
        return [colours.Average(c => c.X), colours.Average(c => c.Y), colours.Average(c => c.Z)];
    }
}
