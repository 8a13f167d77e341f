using JepaSharp.Data.Decoding;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources.Scenes;

namespace JepaSharp.Data.Sources;

/// <summary>A finite, indexed collection of images, with class labels where there are any. Safe to read from several threads.</summary>
public abstract class ImageSource : IDisposable
{
    /// <summary>How many images there are.</summary>
    public abstract int Count { get; }

    /// <summary>What a person would call the collection: its path, or what it is.</summary>
    public abstract string Description { get; }

    /// <summary>Class names by label; empty where images carry no labels.</summary>
    public virtual IReadOnlyList<string> Classes => [];

    /// <summary>Name of an image, unique within the source: its relative path, or its member or row.</summary>
    public abstract string NameOf(int index);

    /// <summary>Index into <see cref="Classes"/>, or null where the image carries no label.</summary>
    public virtual int? LabelOf(int index) => null;

    /// <summary>Names of the numbers that images carry besides a label, such as "count"; empty where there are none.</summary>
    public virtual IReadOnlyList<string> Columns => [];

    /// <summary>What was odd when the collection was listed and a user should know: a shard cut short, images without labels. One sentence
    /// each.</summary>
    public virtual IReadOnlyList<string> Notices => [];

    /// <summary>The collection that these images are some of; the collection itself where they are all.</summary>
    public virtual ImageSource Origin => this;

    /// <summary>How many splits by the images' names these are one side of, each of what the one before left.</summary>
    internal virtual int SplitsByName => 0;

    /// <summary>A sentence that counts what was found and what became of it, where a collection is listed from files; else null.</summary>
    public virtual string? Sum => null;

    /// <summary>A number that an image carries, or null where it has none in that column.</summary>
    /// <param name="index">The image.</param>
    /// <param name="column">One of <see cref="Columns"/>.</param>
    /// <exception cref="ArgumentException">There is no such column.</exception>
    public virtual double? ValueOf(int index, string column) =>
        throw new ArgumentException(
            $"{Description} has no column \"{column}\". It has: {(Columns.Count == 0 ? "none" : string.Join(", ", Columns))}.", nameof(column));

    /// <summary>What stands in an image, where it shows a scene whose objects are known; else null.</summary>
    public virtual Scene? SceneOf(int index) => null;

    /// <summary>Bytes of the encoded image that <see cref="Open"/> will read into memory, as far as that is known without opening it; else
    /// 0.</summary>
    public virtual long StoredBytes(int index) => 0;

    /// <summary>The file that an image is, and nothing but it; null where images lie together in larger files, or in none.</summary>
    public virtual string? PathOf(int index) => null;

    /// <summary>Reads an image's header (or as little as gives its size), so that only what is needed is decoded after.</summary>
    /// <exception cref="ImageUnreadableException">The file is missing, damaged, too large or of no known format.</exception>
    public abstract OpenedImage Open(int index);

    /// <summary>Opens an image as <see cref="Open"/> does, once there is room for it within the process's bound (<see cref="DecodingBound"/>), and
    /// decodes it within that bound.</summary>
    /// <exception cref="ImageUnreadableException">The image cannot be opened, or is larger than the bound allows.</exception>
    public OpenedImage OpenWithinBound(int index) => DecodingMemory.OfProcess.Open(this, index);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the source holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
