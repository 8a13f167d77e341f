using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources.Folders;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>The pictures of an unpacked CLEVR_v1.0, or of a folder from <c>jepa scenes</c>, with the targets of the two local tasks.</summary>
/// <remarks>Columns: count (objects in the scene) and distance (depth of the nearest object's centre). Classes only where one of the two is asked
/// for.</remarks>
public sealed class ClevrImages : ImageSource
{
    private readonly string _directory;
    private readonly IReadOnlyList<AnnotatedImage> _images;
    private readonly string? _label;
    private readonly DecodingLimits _limits;
    private readonly List<string> _notices = [];

    /// <summary>Reads the annotations of a split.</summary>
    /// <param name="directory">A folder that <see cref="ClevrFolder.IsOne"/>.</param>
    /// <param name="split">Which split; null for train, or the only one.</param>
    /// <param name="label">"count" or "distance", for VTAB's classes of it; null for none.</param>
    /// <param name="limits">What to refuse by an image's header.</param>
    /// <exception cref="JepaException">No such folder or split, damaged annotations, a picture that is missing, or no such label.</exception>
    public ClevrImages(string directory, string? split = null, string? label = null, DecodingLimits? limits = null)
    {
        (_directory, _label, _limits) = (directory, label, limits ?? DecodingLimits.Default);
        if (label is not (null or SceneColumns.Count or SceneColumns.Distance))
            throw new JepaException($"{directory} has no label \"{label}\". It has {SceneColumns.Count} and {SceneColumns.Distance}.", isUsage: true);
        if (split is null && ClevrFolder.SplitsOf(directory).Contains("train")) split = "train";
        _images = ClevrFolder.Read(directory, split);
        if (_images.Count == 0) throw new JepaException($"{directory} describes no picture.", isUsage: true);
        if (SceneNotices.Of(_images) is { } notice) _notices.Add(notice);
        Description = split is null ? Path.GetFullPath(directory) : $"{Path.GetFullPath(directory)} ({split})";
        if (label == SceneColumns.Count
            && _images.FirstOrDefault(i => i.Scene.Objects.Count is < SceneTargets.MinimumCount or > SceneTargets.MaximumCount) is { } odd)
            throw new JepaException(
                $"{odd.ImagePath} shows {odd.Scene.Objects.Count} objects; the count task has classes for {SceneTargets.MinimumCount} to "
                    + $"{SceneTargets.MaximumCount}.", isUsage: true);
    }

    /// <inheritdoc/>
    public override int Count => _images.Count;

    /// <inheritdoc/>
    public override string Description { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _label switch
    {
        SceneColumns.Count => SceneTargets.CountClasses,
        SceneColumns.Distance => SceneTargets.NearestDistanceClasses,
        _ => [],
    };

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _notices;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Columns => SceneColumns.All;

    /// <summary>What is in an image.</summary>
    public override Scene SceneOf(int index) => _images[index].Scene;

    /// <inheritdoc/>
    public override string NameOf(int index) => Path.GetRelativePath(_directory, _images[index].ImagePath).Replace('\\', '/');

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _label switch
    {
        SceneColumns.Count => SceneTargets.CountClass(SceneOf(index)),
        SceneColumns.Distance when SceneOf(index).Objects.Count > 0 => SceneTargets.NearestDistanceClass(SceneOf(index)),
        _ => null,
    };

    /// <inheritdoc/>
    public override double? ValueOf(int index, string column) =>
        SceneColumns.ValueOf(SceneOf(index), column) is (true, var value) ? value : base.ValueOf(index, column);

    /// <inheritdoc/>
    public override long StoredBytes(int index) => RegularFile.LengthOf(_images[index].ImagePath);

    /// <inheritdoc/>
    public override string? PathOf(int index) => _images[index].ImagePath;

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => ImageDecoder.Open(_images[index].ImagePath, NameOf(index), _limits);
}

/// <summary>The numbers that go with a scene's picture, by the names of their columns.</summary>
internal static class SceneColumns
{
    /// <summary>How many objects there are.</summary>
    public const string Count = "count";

    /// <summary>Depth of the nearest object's centre, in scene units.</summary>
    public const string Distance = "distance";

    /// <summary>All columns.</summary>
    public static IReadOnlyList<string> All { get; } = [Count, Distance];

    /// <summary>A number of a scene; <c>IsKnown</c> says whether there is such a column.</summary>
    public static (bool IsKnown, double? Value) ValueOf(Scene scene, string column) => column switch
    {
        Count => (true, SceneTargets.Count(scene)),
        Distance => (true, scene.Objects.Count > 0 ? SceneTargets.NearestDistance(scene) : null),
        _ => (false, null),
    };
}

/// <summary>Compares the pictures that annotations describe with those that are there.</summary>
internal static class SceneNotices
{
    private const int Shown = 3;

    /// <summary>A sentence on pictures that are not described, or described twice; null where every one is described once.</summary>
    /// <param name="images">Those described, of one folder.</param>
    public static string? Of(IReadOnlyList<AnnotatedImage> images)
    {
        var described = images.Select(i => Path.GetFullPath(i.ImagePath)).ToHashSet(StringComparer.Ordinal);
        var folders = described.Select(p => Path.GetDirectoryName(p)!).Distinct(StringComparer.Ordinal);
        var pictures = folders.SelectMany(FilesOf).Where(f => FileKind.IsCalledPicture(f) && !described.Contains(f));
        string[] others = [.. pictures.Select(f => Path.GetFileName(f))];
        var twice = images.Count - described.Count;
        var counted = Quantity.Of(others.Length, "picture is", "pictures are");
        var left = others.Length == 0
            ? "" : $"{counted} passed over, since no scene describes {(others.Length == 1 ? "it" : "them")}: {Wording.List(others, Shown)}.";
        var more = twice == 0 ? "" : $"{Quantity.Of(twice, "scene describes", "scenes describe")} a picture that another describes too.";
        return left.Length + more.Length == 0 ? null : string.Join(' ', ((string[])[left, more]).Where(t => t.Length > 0));
    }

    private static List<string> FilesOf(string folder)
    {
        try
        {
            return FolderSet.FilesOf(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // Pictures in it can be opened all the same.
        }
    }
}

/// <summary>The two local tasks of the paper (Table 4) as VTAB defines them on CLEVR (Zhai et al., 2019): object count and distance to the nearest
/// object.</summary>
public static class SceneTargets
{
    /// <summary>Fewest objects in a scene of CLEVR: class 0 of <see cref="CountClass"/>.</summary>
    public const int MinimumCount = 3;

    /// <summary>Most objects in a scene of CLEVR.</summary>
    public const int MaximumCount = 10;

    // VTAB's thresholds are 0, 8, 8.5, 9, 9.5, 10, 100: a class is the last threshold that lies strictly below the distance.
    private static readonly float[] DistanceThresholds = [8, 8.5f, 9, 9.5f, 10];

    /// <summary>Names of the 8 classes of <see cref="CountClass"/>: 3 to 10.</summary>
    public static IReadOnlyList<string> CountClasses { get; } =
        [.. Enumerable.Range(MinimumCount, MaximumCount - MinimumCount + 1).Select(count => $"{count}")];

    /// <summary>Names of the 6 classes of <see cref="NearestDistanceClass(Scene)"/>.</summary>
    public static IReadOnlyList<string> NearestDistanceClasses { get; } = ["up to 8", "8 to 8.5", "8.5 to 9", "9 to 9.5", "9.5 to 10", "above 10"];

    /// <summary>How many objects the scene holds.</summary>
    public static int Count(Scene scene) => scene.Objects.Count;

    /// <summary>VTAB's <c>count_all</c>: the number of objects less three, 0 to 7.</summary>
    /// <exception cref="ArgumentException">The scene does not hold 3 to 10 objects.</exception>
    public static int CountClass(Scene scene) =>
        scene.Objects.Count is >= MinimumCount and <= MaximumCount
            ? scene.Objects.Count - MinimumCount
            : throw new ArgumentException(
                $"{scene.ImageFilename} holds {scene.Objects.Count} objects; the count task is defined for {MinimumCount} to {MaximumCount}.",
                nameof(scene));

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
