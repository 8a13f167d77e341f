namespace JepaSharp.Masking;

/// <summary>Masks of which a given number of images have contexts of one length, however large the batches are.</summary>
/// <remarks>
/// How many images are cut to the shortest of them decides how much of an image is context, and so how hard the task is: on 14x14 patches, drawn as
/// the published code does, 0.42 for one image and 0.26 for 128. The images of a run are taken as one row, in the order in which it comes to them,
/// and every G of them are a group, of whose masks a micro-batch draws all and hands out its own. Masks are keyed by (seed, group, place in the
/// group), so that neither the size of a batch nor accumulation changes what is asked of the run's n-th image.
/// </remarks>
public sealed class MaskGroups
{
    private readonly MaskSampler _sampler;
    private readonly int _images;
    private readonly int _batch;

    /// <summary>Groups of images.</summary>
    /// <param name="sampler">Draws masks.</param>
    /// <param name="images">G, images whose contexts have one length; a multiple of <paramref name="batch"/>.</param>
    /// <param name="batch">B, images in a micro-batch.</param>
    /// <exception cref="ArgumentException">The micro-batches do not fill a group.</exception>
    public MaskGroups(MaskSampler sampler, int images, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        if (images < 1 || images % batch != 0)
            throw new ArgumentException($"Groups of {images} images of micro-batches of {batch}; expected a multiple of it.", nameof(images));
        (_sampler, _images, _batch) = (sampler, images, batch);
    }

    /// <summary>Draws the masks of a micro-batch.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="microBatch">Number of the micro-batch in the whole run, from 0. A negative one belongs to no run: its images are a group with
    /// others that nobody sees, and are keyed by <paramref name="images"/>.</param>
    /// <param name="images">[B], index of each image in its source.</param>
    /// <returns>Mc x [B, Kc] and Mt x [B, Kt] indices.</returns>
    public MaskBatch Sample(ulong seed, long microBatch, ReadOnlySpan<long> images)
    {
        if (microBatch < 0) return _sampler.Sample(seed, microBatch, images, Unseen(_images - images.Length));
        var (parts, first) = (_images / _batch, microBatch % (_images / _batch) * _batch);
        long[] own = [.. Enumerable.Range(0, images.Length).Select(i => first + i)];
        long[] others = [.. Enumerable.Range(0, _images).Select(i => (long)i).Where(i => i < first || i >= first + own.Length)];
        return _sampler.Sample(seed, microBatch / parts, own, others);
    }

    /// <summary>Keys of images that are none.</summary>
    /// <param name="count">How many; none where it is negative.</param>
    public static long[] Unseen(int count) => [.. Enumerable.Range(1, Math.Max(0, count)).Select(i => (long)-i)];
}
