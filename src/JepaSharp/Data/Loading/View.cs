using JepaSharp.Data.Cropping;

namespace JepaSharp.Data.Loading;

/// <summary>What the loader makes of an image for an objective: crops of one kind, each drawn anew.</summary>
/// <param name="Name">What the objective calls them, such as "image" or "global"; unique within an objective.</param>
/// <param name="Transform">How a crop is drawn, resized and changed.</param>
/// <param name="Count">V: how many are made of an image.</param>
public sealed record View(string Name, TrainingTransform Transform, int Count = 1)
{
    /// <summary>Bytes of one image's crops of this view: V S S 3.</summary>
    internal int Bytes => Count * Transform.CropSize * Transform.CropSize * 3;
}

/// <summary>Every view of every image of a batch, as plain memory: what the loader hands to training.</summary>
/// <param name="Views">The views, in the order in which they lie in memory.</param>
/// <param name="Pixels">uint8: image by image, of each its views one after the other, each [V, S, S, 3] RGB. May be longer than what is used.</param>
/// <param name="Indices">[B], index of each image in its source.</param>
public sealed record ViewBytes(IReadOnlyList<View> Views, byte[] Pixels, int[] Indices)
{
    /// <summary>B.</summary>
    public int Count => Indices.Length;

    /// <summary>Bytes of all views of one image.</summary>
    public int BytesPerImage => Views.Sum(v => v.Bytes);

    /// <summary>Where a view's bytes begin within an image's.</summary>
    /// <exception cref="ArgumentException">There is no such view.</exception>
    public int StartOf(View view)
    {
        var at = 0;
        foreach (var other in Views)
        {
            if (ReferenceEquals(other, view)) return at;
            at += other.Bytes;
        }

        throw new ArgumentException($"There is no view \"{view?.Name}\" in this batch.", nameof(view));
    }

    /// <summary>The only view, as a batch of images.</summary>
    /// <exception cref="InvalidOperationException">There are several.</exception>
    public ImageBatch Single() => Views is [{ Count: 1 } only]
        ? new ImageBatch(Count, only.Transform.CropSize, only.Transform.CropSize, Pixels, Indices)
        : throw new InvalidOperationException($"A batch of {Views.Sum(v => v.Count)} views of each image is no plain batch of images.");
}
