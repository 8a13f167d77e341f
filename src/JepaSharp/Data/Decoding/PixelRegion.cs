namespace JepaSharp.Data.Decoding;

/// <summary>Decoded pixels of a part of an image, which may have been reduced by 2, 4 or 8.</summary>
public readonly struct PixelRegion
{
    /// <summary>A region over existing pixels.</summary>
    /// <param name="bytes">Pixels; with four bytes a pixel, <see cref="PixelBuffer"/>'s padding must follow the last one.</param>
    /// <param name="bytesPerPixel">3 (RGB) or 4 (RGB and one that is ignored).</param>
    /// <param name="box">Where the region lies in the (reduced) image.</param>
    /// <param name="stride">Bytes from one row to the next.</param>
    /// <param name="reduction">1, 2, 4 or 8: pixels of the full-size image to a side of one of these.</param>
    internal PixelRegion(byte[] bytes, int bytesPerPixel, PixelBox box, int stride, int reduction = 1) =>
        (Bytes, BytesPerPixel, Box, Stride, Reduction) = (bytes, bytesPerPixel, box, stride, reduction);

    /// <summary>Where the region lies in the image, in the image's pixels after reduction.</summary>
    public PixelBox Box { get; }

    /// <summary>1, 2, 4 or 8: pixels of the full-size image to a side of one of these.</summary>
    public int Reduction { get; }

    internal byte[] Bytes { get; }

    internal int BytesPerPixel { get; }

    internal int Stride { get; }

    /// <summary>The whole of an image at full size; its pixels are not copied.</summary>
    public static PixelRegion Of(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return new PixelRegion(image.Pixels, 3, PixelBox.Whole(image.Width, image.Height), 3 * image.Width);
    }

    /// <summary>A copy of the region as an image of its own.</summary>
    public RgbImage ToImage()
    {
        var image = new RgbImage(Box.Width, Box.Height);
        for (var y = 0; y < Box.Height; y++) CopyRow(y, image.Row(y));
        return image;
    }

    /// <summary>Copies the region to its place in an image that has all columns of the region, and no others.</summary>
    internal void CopyTo(RgbImage image)
    {
        for (var y = 0; y < Box.Height; y++) CopyRow(y, image.Row(Box.Top + y));
    }

    private void CopyRow(int y, Span<byte> to)
    {
        var from = Bytes.AsSpan(y * Stride, Box.Width * BytesPerPixel);
        for (int x = 0, source = 0; x < to.Length; x += 3, source += BytesPerPixel)
            (to[x], to[x + 1], to[x + 2]) = (from[source], from[source + 1], from[source + 2]);
    }
}
