using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;

namespace JepaSharp.Pictures;

/// <summary>A small picture of an image, whole and in its own proportions.</summary>
/// <param name="Width">W in pixels.</param>
/// <param name="Height">H in pixels.</param>
/// <param name="Jpeg">A JPEG file.</param>
public sealed record Thumbnail(int Width, int Height, byte[] Jpeg)
{
    private const int Quality = 80;

    /// <summary>Of one image of a source; null where it cannot be read.</summary>
    /// <param name="source">The images.</param>
    /// <param name="index">Which.</param>
    /// <param name="side">Pixels of the longer side, at most.</param>
    public static Thumbnail? Of(ImageSource source, int index, int side)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(side);
        try
        {
            using var image = source.OpenWithinBound(index);
            var scale = Math.Min(1, side / (double)Math.Max(image.Width, image.Height));
            int width = Math.Max(1, (int)Math.Round(image.Width * scale)), height = Math.Max(1, (int)Math.Round(image.Height * scale));
            var small = new RgbImage(width, height);
            var whole = PixelBox.Whole(image.Width, image.Height);
            new CropSampler().Sample(image, CropGeometry.Of(whole, width, height, ResampleFilter.Bilinear), allowScaling: true, small.Pixels);
            return new Thumbnail(width, height, small.ToJpeg(Quality));
        }
        catch (ImageUnreadableException)
        {
            return null; // it has gone since its features were made: the page has a gap there
        }
    }
}

/// <summary>Many small square pictures as one: each the middle of its image.</summary>
/// <param name="Side">S, pixels of one.</param>
/// <param name="Columns">Pictures in a row.</param>
/// <param name="Jpeg">A JPEG file.</param>
/// <param name="Missing">Places of images of which there is no picture.</param>
public sealed record ThumbnailAtlas(int Side, int Columns, byte[] Jpeg, IReadOnlyList<int> Missing)
{
    private const int Quality = 75, Batch = 64;

    /// <summary>Of images of a source, in the order given; one that cannot be read has no picture.</summary>
    /// <param name="source">The images.</param>
    /// <param name="chosen">Which.</param>
    /// <param name="side">S.</param>
    /// <param name="isThere">Whether an image is to be read at all; null for all.</param>
    /// <param name="progress">Is told how many are done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public static ThumbnailAtlas Of(
        ImageSource source, IReadOnlyList<int> chosen, int side, Func<int, bool>? isThere = null, IProgress<int>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(chosen);
        int[] read = [.. chosen.Where(isThere ?? (_ => true))];
        if (read.Length == 0) return new ThumbnailAtlas(side, 1, new RgbImage(1, 1).ToJpeg(Quality), [.. Enumerable.Range(0, chosen.Count)]);
        var columns = Math.Max(1, (int)Math.Ceiling(Math.Sqrt(chosen.Count)));
        var sheet = new RgbImage(columns * side, Math.Max(1, (chosen.Count + columns - 1) / columns) * side);
        Array.Fill(sheet.Pixels, (byte)128);
        var place = new Dictionary<int, int>(chosen.Count);
        foreach (var (at, image) in chosen.Index()) place[image] = at;
        var (done, missing) = (0, Enumerable.Range(0, chosen.Count).ToHashSet());
        var reader = new ImageReader(source, EvaluationTransform.CenterCrop(side, ResampleFilter.Bilinear), Batch);
        foreach (var batch in reader.Read(read, cancellation))
        {
            for (var i = 0; i < batch.Count; i++)
            {
                missing.Remove(place[batch.Indices[i]]);
                var (row, column) = Math.DivRem(place[batch.Indices[i]], columns);
                for (var y = 0; y < side; y++)
                    batch.Pixels.AsSpan(3 * side * ((i * side) + y), 3 * side).CopyTo(sheet.Row((row * side) + y).Slice(3 * side * column, 3 * side));
            }

            progress?.Report(done += batch.Count);
        }

        return new ThumbnailAtlas(side, columns, sheet.ToJpeg(Quality), [.. missing.Order()]);
    }
}
