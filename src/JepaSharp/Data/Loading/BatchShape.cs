using JepaSharp.Runtime;

namespace JepaSharp.Data.Loading;

/// <summary>How a number of square crops is laid out in batches.</summary>
/// <param name="Items">Images in all.</param>
/// <param name="BatchSize">B.</param>
/// <param name="Side">H and W in pixels.</param>
/// <param name="DropsLast">Whether a last batch of fewer than B is left out.</param>
internal readonly record struct BatchShape(int Items, int BatchSize, int Side, bool DropsLast)
{
    /// <summary>Bytes of an item that is more than one crop of the side; null for one.</summary>
    public int? BytesOfViews { get; init; }

    public int ItemBytes => BytesOfViews ?? 3 * Side * Side;

    public int FullBatchBytes => BatchSize * ItemBytes;

    public int Batches => DropsLast ? Items / BatchSize : (int)(((long)Items + BatchSize - 1) / BatchSize);

    public int CountOf(long batch) => DropsLast ? BatchSize : (int)Math.Min(BatchSize, Items - (batch * BatchSize));

    /// <summary>Refuses what no array can hold.</summary>
    /// <exception cref="JepaException">A size is not positive or a batch is too large.</exception>
    public void Check()
    {
        if (BatchSize < 1 || Side < 1) throw new JepaException($"Batches of {BatchSize} images of {Side} pixels: both must be at least 1.", isUsage: true);
        if (Math.Max(3L * Side * Side, ItemBytes) * BatchSize > Array.MaxLength)
            throw new JepaException($"A batch of {BatchSize} images of {Side}x{Side} pixels is more than 2 GB: make the batch or the crop smaller.", isUsage: true);
    }
}
