using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Scenes;

/// <summary>The pictures of an unpacked CLEVR_v1.0, or of a folder from <c>jepa scenes</c>, with the targets of the two local tasks.</summary>
/// <remarks>Columns: count (objects in the scene) and distance (depth of the nearest object's centre). Classes only where one of the two is asked for.</remarks>
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
        if (label is not (null or SceneColumns.Count or SceneColumns.Distance)) throw new JepaException($"{directory} has no label \"{label}\". It has {SceneColumns.Count} and {SceneColumns.Distance}.", isUsage: true);
        if (split is null && ClevrFolder.SplitsOf(directory).Contains("train")) split = "train";
        _images = ClevrFolder.Read(directory, split);
        if (_images.Count == 0) throw new JepaException($"{directory} describes no picture.", isUsage: true);
        if (SceneNotices.Of(_images) is { } notice) _notices.Add(notice);
        Description = split is null ? Path.GetFullPath(directory) : $"{Path.GetFullPath(directory)} ({split})";
        if (label == SceneColumns.Count && _images.FirstOrDefault(i => i.Scene.Objects.Count is < SceneTargets.MinimumCount or > SceneTargets.MaximumCount) is { } odd)
            throw new JepaException($"{odd.ImagePath} shows {odd.Scene.Objects.Count} objects; the count task has classes for {SceneTargets.MinimumCount} to {SceneTargets.MaximumCount}.", isUsage: true);
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
    public Scene SceneOf(int index) => _images[index].Scene;

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
    public override OpenedImage Open(int index) => ImageDecoder.Open(_images[index].ImagePath, NameOf(index), _limits);
}
