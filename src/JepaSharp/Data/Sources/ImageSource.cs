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

/// <summary>An image whose size is known and whose pixels are not yet decoded.</summary>
public abstract class OpenedImage : IDisposable
{
    /// <summary>W in pixels, after any EXIF orientation was applied.</summary>
    public abstract int Width { get; }

    /// <summary>H in pixels, after any EXIF orientation was applied.</summary>
    public abstract int Height { get; }

    /// <summary>Decodes the whole image at full size.</summary>
    /// <exception cref="ImageUnreadableException">The data is damaged.</exception>
    public abstract RgbImage Decode();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the image holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>One image cannot be read. Carries the image's name and a reason in words.</summary>
/// <param name="name">The image's name in its source.</param>
/// <param name="reason">What is wrong with it.</param>
/// <param name="inner">The cause, where there is one.</param>
public sealed class ImageUnreadableException(string name, string reason, Exception? inner = null) : Exception($"{name}: {reason}", inner)
{
    /// <summary>The image's name in its source.</summary>
    public string Name { get; } = name;

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; } = reason;
}
