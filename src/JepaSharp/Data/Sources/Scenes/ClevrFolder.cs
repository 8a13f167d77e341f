using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>A picture on disk and what is in it.</summary>
/// <param name="ImagePath">Path of the picture.</param>
/// <param name="Scene">Its annotation.</param>
public sealed record AnnotatedImage(string ImagePath, Scene Scene);

/// <summary>Finds pictures and annotations in an unpacked CLEVR_v1.0, or in a folder that <see cref="SceneFolder"/> wrote. Decodes nothing.</summary>
/// <remarks>
/// CLEVR_v1.0: <c>images/{train,val}/*.png</c> and <c>scenes/CLEVR_{train,val}_scenes.json</c> (its test split has no annotations).
/// Ours: <c>images/*.png</c> and <c>scenes.json</c>.
/// </remarks>
public static class ClevrFolder
{
    private const string Prefix = "CLEVR_", Suffix = "_scenes.json";

    /// <summary>Whether a directory holds annotations in one of the two layouts.</summary>
    public static bool IsOne(string directory) => File.Exists(Path.Combine(directory, SceneFolder.AnnotationFile)) || SplitsOf(directory).Count > 0;

    /// <summary>Splits of a CLEVR_v1.0 directory that have annotations, sorted; empty for a folder of ours, which is one split.</summary>
    public static IReadOnlyList<string> SplitsOf(string directory)
    {
        var scenes = Path.Combine(directory, "scenes");
        if (!Directory.Exists(scenes)) return [];
        try
        {
            return [.. Directory.EnumerateFiles(scenes, $"{Prefix}*{Suffix}")
                .Select(path => Path.GetFileName(path)[Prefix.Length..^Suffix.Length])
                .Order(StringComparer.Ordinal)];
        }
        catch (UnauthorizedAccessException)
        {
            return []; // Then the folder is one of images, of which this one is missing, and said to be.
        }
    }

    /// <summary>Reads the annotations and pairs each with its picture, in the file's order.</summary>
    /// <param name="directory">Either layout.</param>
    /// <param name="split">Which split of CLEVR_v1.0; null for ours, or where there is only one.</param>
    /// <exception cref="JepaException">Not such a directory, no such split, a damaged annotation file, or a picture that is missing.</exception>
    public static IReadOnlyList<AnnotatedImage> Read(string directory, string? split = null)
    {
        var (annotations, images) = Locate(directory, split);
        var paired = SceneAnnotationReader.Read(annotations)
            .Select(scene => new AnnotatedImage(Path.Combine(images, scene.ImageFilename), scene))
            .ToArray();
        if (paired.FirstOrDefault(pair => LeadsOut(pair.Scene.ImageFilename)) is { } stray)
            throw new JepaException(
                $"{annotations} describes \"{stray.Scene.ImageFilename}\", which lies outside of {images}. Expected the name of a picture in it.",
                isUsage: true);
        if (paired.FirstOrDefault(pair => !File.Exists(pair.ImagePath)) is { } lost)
            throw new JepaException(
                $"{annotations} describes {lost.Scene.ImageFilename}, but there is no {lost.ImagePath}. Expected every described picture in "
                    + $"{images}.", isUsage: true);
        return paired;
    }

    private static bool LeadsOut(string name) => Path.IsPathRooted(name) || name.Split('/', '\\').Contains("..");

    private static (string Annotations, string Images) Locate(string directory, string? split)
    {
        if (!Directory.Exists(directory)) throw new JepaException($"There is no folder {directory}.", isUsage: true);
        var splits = SplitsOf(directory);
        if (splits.Count == 0)
        {
            var annotations = Path.Combine(directory, SceneFolder.AnnotationFile);
            return File.Exists(annotations)
                ? (annotations, Path.Combine(directory, SceneFolder.ImageFolder))
                : throw new JepaException(
                    $"{directory} holds no scene annotations. Expected {SceneFolder.AnnotationFile} (from `jepa scenes`) or "
                        + $"scenes/{Prefix}train{Suffix} (CLEVR_v1.0).", isUsage: true);
        }

        split ??= splits.Count == 1 ? splits[0] : throw new JepaException(
            $"{directory} holds the splits {string.Join(", ", splits)}: say which one.", isUsage: true);
        if (!splits.Contains(split))
            throw new JepaException($"{directory} has no annotations for the split \"{split}\". It has {string.Join(", ", splits)}.", isUsage: true);
        return (Path.Combine(directory, "scenes", Prefix + split + Suffix), Path.Combine(directory, "images", split));
    }
}
