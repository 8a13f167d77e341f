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

    /// <summary>Reads an image's header (or as little as gives its size), so that only what is needed is decoded after.</summary>
    /// <exception cref="ImageUnreadableException">The file is missing, damaged, too large or of no known format.</exception>
    public abstract OpenedImage Open(int index);

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
