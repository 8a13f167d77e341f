namespace JepaSharp.Data.Sources.Scenes;

/// <summary>The two local tasks of the paper (Table 4) as VTAB defines them on CLEVR (Zhai et al., 2019): object count and distance to the nearest object.</summary>
public static class SceneTargets
{
    /// <summary>Fewest objects in a scene of CLEVR: class 0 of <see cref="CountClass"/>.</summary>
    public const int MinimumCount = 3;

    /// <summary>Most objects in a scene of CLEVR.</summary>
    public const int MaximumCount = 10;

    // VTAB's thresholds are 0, 8, 8.5, 9, 9.5, 10, 100: a class is the last threshold that lies strictly below the distance.
    private static readonly float[] DistanceThresholds = [8, 8.5f, 9, 9.5f, 10];

    /// <summary>Names of the 8 classes of <see cref="CountClass"/>: 3 to 10.</summary>
    public static IReadOnlyList<string> CountClasses { get; } = [.. Enumerable.Range(MinimumCount, MaximumCount - MinimumCount + 1).Select(count => $"{count}")];

    /// <summary>Names of the 6 classes of <see cref="NearestDistanceClass(Scene)"/>.</summary>
    public static IReadOnlyList<string> NearestDistanceClasses { get; } = ["up to 8", "8 to 8.5", "8.5 to 9", "9 to 9.5", "9.5 to 10", "above 10"];

    /// <summary>How many objects the scene holds.</summary>
    public static int Count(Scene scene) => scene.Objects.Count;

    /// <summary>VTAB's <c>count_all</c>: the number of objects less three, 0 to 7.</summary>
    /// <exception cref="ArgumentException">The scene does not hold 3 to 10 objects.</exception>
    public static int CountClass(Scene scene) =>
        scene.Objects.Count is >= MinimumCount and <= MaximumCount
            ? scene.Objects.Count - MinimumCount
            : throw new ArgumentException($"{scene.ImageFilename} holds {scene.Objects.Count} objects; the count task is defined for {MinimumCount} to {MaximumCount}.", nameof(scene));

    /// <summary>Depth of the nearest object's centre along the viewing axis, in scene units.</summary>
    /// <exception cref="ArgumentException">The scene holds no object.</exception>
    public static float NearestDistance(Scene scene) =>
        scene.Objects.Count > 0
            ? scene.Objects.Min(item => item.Pixel.Depth)
            : throw new ArgumentException($"{scene.ImageFilename} holds no object, so none is nearest.", nameof(scene));

    /// <summary>VTAB's <c>closest_object_distance</c>: <see cref="NearestDistance"/> in six bins, 0 to 5.</summary>
    /// <exception cref="ArgumentException">The scene holds no object.</exception>
    public static int NearestDistanceClass(Scene scene) => NearestDistanceClass(NearestDistance(scene));

    /// <summary>The bin of a distance: 0 to 5.</summary>
    public static int NearestDistanceClass(float distance) => DistanceThresholds.Count(threshold => threshold < distance);
}
