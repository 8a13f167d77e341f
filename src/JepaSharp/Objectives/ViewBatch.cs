using JepaSharp.Data.Loading;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>The views of a batch on the device, normalised: what a loss sees.</summary>
public sealed class ViewBatch : IDisposable
{
    private readonly Dictionary<string, Tensor> _images;

    /// <summary>A batch of views; the tensors are taken over.</summary>
    /// <param name="images">Of each view, by its name, normalised pixels [V B, 3, S, S]: the first crop of every image, then the second of every
    /// image.</param>
    /// <param name="indices">[B], index of each image in its source.</param>
    public ViewBatch(IReadOnlyDictionary<string, Tensor> images, IReadOnlyList<int> indices) =>
        (_images, Indices) = (new Dictionary<string, Tensor>(images), indices);

    /// <summary>[B], index of each image in its source: what random streams are keyed by, and labels looked up with.</summary>
    public IReadOnlyList<int> Indices { get; }

    /// <summary>B.</summary>
    public int Count => Indices.Count;

    /// <summary>A view of every image. float32 [V B, 3, S, S].</summary>
    /// <param name="view">Its name.</param>
    /// <exception cref="KeyNotFoundException">The objective declared no such view.</exception>
    public Tensor this[string view] => _images.TryGetValue(view, out var images)
        ? images
        : throw new KeyNotFoundException($"There is no view \"{view}\". There are: {string.Join(", ", _images.Keys)}.");

    /// <summary>Uploads what the loader made.</summary>
    /// <param name="bytes">The views as bytes; copied before this returns.</param>
    /// <param name="scaling">The normalisation, and the device.</param>
    public static ViewBatch Of(ViewBytes bytes, PixelScaling scaling)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(scaling);
        return new ViewBatch(bytes.Views.ToDictionary(v => v.Name, v => scaling.ToImages(bytes, v).DetachFromDisposeScope()), [.. bytes.Indices]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var images in _images.Values) images.Dispose();
    }
}
