namespace JepaSharp.Data.Cropping;

/// <summary>A box of an image, the size it is resized to, and the part of the result that is wanted.</summary>
/// <param name="Box">Pixels of the image; what lies outside plays no part, as if it had been cut away first.</param>
/// <param name="Width">W in pixels that the box is resized to.</param>
/// <param name="Height">H in pixels that the box is resized to.</param>
/// <param name="Window">The wanted part of the Height x Width result.</param>
/// <param name="Filter">Kernel of the resize.</param>
public readonly record struct CropGeometry(PixelBox Box, int Width, int Height, PixelBox Window, ResampleFilter Filter)
{
    /// <summary>A box resized to a whole output.</summary>
    public static CropGeometry Of(PixelBox box, int width, int height, ResampleFilter filter) =>
        new(box, width, height, PixelBox.Whole(width, height), filter);
}
