using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Shards;

/// <summary>The images in tar shards as WebDataset writes them. Headers are read once; an image is then read by its place in its shard.</summary>
/// <remarks>
/// Members that share their path up to the first dot are one sample: its images, and its label in a <c>.cls</c> or <c>.json</c>
/// (<see cref="SampleGroup"/>).
/// Where a name comes again later, the image is kept too, as "name (2)". What is cut off at the end of a shard is unreadable, and said.
/// </remarks>
public sealed class TarShards : ImageSource
{
    private readonly TarMember[] _images;
    private readonly string[] _names;
    private readonly ClassLabels _labels;
    private readonly FileParts _files;
    private readonly DecodingLimits _limits;
    private readonly List<string> _notices = [];

    /// <summary>Indexes shards.</summary>
    /// <param name="paths">The shards, in order.</param>
    /// <param name="description">What to call them together.</param>
    /// <param name="label">Entry of the <c>.json</c> files to take the classes from; null for label or cls, or a <c>.cls</c> file.</param>
    /// <param name="limits">What to refuse by an image's header.</param>
    /// <exception cref="JepaException">A shard is missing, compressed or no tar, or there is no image in any.</exception>
    public TarShards(IReadOnlyList<string> paths, string description, string? label = null, DecodingLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        (Description, _limits, _files) = (description, limits ?? DecodingLimits.Default, new FileParts(paths));
        var samples = new ShardSamples(m => _files.Read(m.Shard, m.Offset, (int)m.Length), label);
        for (var shard = 0; shard < paths.Count; shard++) samples.Add(TarIndex.Read(paths[shard], shard));
        _notices.AddRange(samples.Notices());
        _notices.AddRange(MissingParts.Notices(paths));
        if (samples.Images.Count == 0)
            throw new JepaException($"{description} holds no image. Expected members such as 000001.jpg and "
                + $"000001.cls.{string.Concat(samples.Notices().Select(n => " " + n))}", isUsage: true);
        _images = [.. samples.Images];
        _names = UniqueNames(_images, paths);
        _labels = ClassLabels.Of(samples.Texts);
        if (label is not null && _labels.Classes.Count == 0)
            throw new JepaException($"{description}: no .json member has an entry \"{label}\".", isUsage: true);
        _notices.AddRange(_labels.Notices());
    }

    /// <inheritdoc/>
    public override int Count => _images.Length;

    /// <inheritdoc/>
    public override string Description { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _labels.Classes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _notices;

    /// <inheritdoc/>
    public override string NameOf(int index) => _names[index];

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _labels.Of(index);

    /// <inheritdoc/>
    public override long StoredBytes(int index) => _images[index].Length;

    /// <inheritdoc/>
    public override OpenedImage Open(int index)
    {
        var image = _images[index];
        return _files.OpenImage(image.Shard, image.Offset, image.Length, _names[index], _limits);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _files.Dispose();
        base.Dispose(disposing);
    }

    private string[] UniqueNames(TarMember[] images, IReadOnlyList<string> paths)
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        var names = new string[images.Length];
        for (var i = 0; i < names.Length; i++)
        {
            var name = paths.Count == 1 ? images[i].Name : $"{Path.GetFileName(paths[images[i].Shard])}/{images[i].Name}";
            var times = seen[name] = seen.GetValueOrDefault(name) + 1;
            names[i] = times == 1 ? name : $"{name} ({times})";
        }

        if (seen.Count < names.Length)
            _notices.Add($"{Quantity.Of(names.Length - seen.Count, "image has", "images have")} the name of another image in "
                + $"{(names.Length - seen.Count == 1 ? "its" : "their")} shard; each is kept.");
        return names;
    }
}
