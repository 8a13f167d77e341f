namespace JepaSharp.Kernels;

/// <summary>Rows of float32 that an affine layer reads one after the other, wherever their numbers lie.</summary>
internal abstract unsafe class RowSource
{
    /// <summary>Where the numbers of a row are, one after the other.</summary>
    /// <param name="row">Which row.</param>
    /// <param name="work">Room for a row, to put together in what lies apart.</param>
    public abstract float* Row(nint row, float* work);
}

/// <summary>A matrix: [rows, width].</summary>
internal sealed unsafe class ConsecutiveRows(float* at, int width) : RowSource
{
    /// <inheritdoc/>
    public override float* Row(nint row, float* work) => at + (row * width);
}

/// <summary>How images of [B, C, H, W] lie in memory: numbers from one image, channel, line and pixel to the next.</summary>
internal readonly record struct ImageStrides(nint Image, nint Channel, nint Line, nint Pixel);

/// <summary>Patches of P x P pixels of images, [C, P, P] a row, read where they lie; all of them, image by image and line by line, or chosen
/// ones.</summary>
internal sealed unsafe class PatchRows(float* images, ImageStrides strides, int channels, int patch, int down, int across, long* chosen) : RowSource
{
    /// <inheritdoc/>
    public override float* Row(nint row, float* work)
    {
        if (chosen != null) row = (nint)chosen[row];
        var (image, place) = Math.DivRem(row, (nint)down * across);
        var corner = images + (image * strides.Image) + (place / across * patch * strides.Line) + (place % across * patch * strides.Pixel);
        var to = work;
        for (var c = 0; c < channels; c++)
        {
            for (var y = 0; y < patch; y++, to += patch)
            {
                var from = corner + (c * strides.Channel) + (y * strides.Line);
                if (strides.Pixel == 1)
                {
                    new ReadOnlySpan<float>(from, patch).CopyTo(new Span<float>(to, patch));
                }
                else
                {
                    for (var x = 0; x < patch; x++) to[x] = from[x * strides.Pixel];
                }
            }
        }

        return work;
    }
}
