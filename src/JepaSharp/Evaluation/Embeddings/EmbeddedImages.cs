using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>The images whose embeddings a file holds, by the names that stand in it: among the images of a set, or as files where those names are
/// paths. Images that are not found have a name and a class, and cannot be opened.</summary>
public sealed class EmbeddedImages : ImageSource
{
    private readonly StoredEmbeddings _embeddings;
    private readonly ImageSource? _images;
    private readonly int[] _places;
    private readonly int?[] _labels;

    /// <summary>Looks for the images.</summary>
    /// <param name="embeddings">The file's.</param>
    /// <param name="images">The set that the embeddings were made of; owned. Null to take the names for paths.</param>
    public EmbeddedImages(StoredEmbeddings embeddings, ImageSource? images)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        (_embeddings, _images) = (embeddings, images);
        Classes = [.. embeddings.Classes.OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        var labels = Classes.Index().ToDictionary(c => c.Item, c => c.Index, StringComparer.Ordinal);
        _labels = [.. embeddings.Classes.Select(name => name is null ? (int?)null : labels[name])];
        var byName = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < (images?.Count ?? 0); i++) byName.TryAdd(images!.NameOf(i), i);
        _places = [.. embeddings.Names.Select((name, row) => images is null
            ? (RegularFile.Exists(name) ? row : -1)
            : byName.GetValueOrDefault(name, -1))];
        Found = _places.Count(place => place >= 0);
    }

    /// <summary>How many images were found.</summary>
    public int Found { get; }

    /// <inheritdoc/>
    public override int Count => _embeddings.Names.Count;

    /// <inheritdoc/>
    public override string Description => _images?.Description ?? _embeddings.Path;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes { get; }

    /// <summary>Whether an image was found.</summary>
    public bool Has(int index) => _places[index] >= 0;

    /// <inheritdoc/>
    public override string NameOf(int index) => _embeddings.Names[index];

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _labels[index];

    /// <inheritdoc/>
    public override string? PathOf(int index) => !Has(index) ? null : _images is null ? NameOf(index) : _images.PathOf(_places[index]);

    /// <inheritdoc/>
    public override long StoredBytes(int index) =>
        !Has(index) ? 0 : _images is null ? RegularFile.LengthOf(NameOf(index)) : _images.StoredBytes(_places[index]);

    /// <inheritdoc/>
    public override OpenedImage Open(int index)
    {
        if (!Has(index))
            throw new ImageUnreadableException(NameOf(index), $"it is not found {(_images is null ? "here" : $"in {_images.Description}")}");
        return _images is null ? ImageDecoder.Open(NameOf(index), NameOf(index)) : _images.Open(_places[index]);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _images?.Dispose();
        base.Dispose(disposing);
    }
}
