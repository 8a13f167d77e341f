using JepaSharp.Masking;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Pictures of blocks of images, of one size, as a diffusion model has them: -1 to 1.</summary>
/// <param name="pixels">How the images that they are cut from are normalised.</param>
/// <param name="patch">P: side of a patch in pixels.</param>
/// <param name="size">Side of the pictures in pixels.</param>
public sealed class BlockPictures(ChannelScale pixels, int patch, int size)
{
    /// <summary>Of one block of each image. -> float32 [B, 3, size, size].</summary>
    /// <param name="images">Normalised [B, 3, S, S].</param>
    /// <param name="blocks">[B], all of one size.</param>
    public Tensor Of(Tensor images, IReadOnlyList<PatchBlock> blocks)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(blocks);
        using var scope = NewDisposeScope();
        Tensor[] cut = [.. blocks.Select((block, i) =>
            images[i].narrow(1, block.Top * patch, block.Height * patch).narrow(2, block.Left * patch, block.Width * patch))];
        return Sized(stack(cut)).MoveToOuterDisposeScope();
    }

    /// <summary>Of whole images. -> float32 [B, 3, size, size].</summary>
    /// <param name="images">Normalised [B, 3, S, S].</param>
    public Tensor Of(Tensor images) => Sized(images);

    /// <summary>The block that a set of patches makes.</summary>
    /// <param name="grid">The grid.</param>
    /// <param name="patches">Its patches, ascending.</param>
    public static PatchBlock BlockOf(PatchGrid grid, ReadOnlySpan<long> patches)
    {
        var (first, last) = (patches[0], patches[^1]);
        int top = grid.RowOf(first), left = grid.ColumnOf(first);
        return new PatchBlock(top, left, grid.RowOf(last) - top + 1, grid.ColumnOf(last) - left + 1);
    }

    /// <summary>A box filter where a picture shrinks, bilinear where it grows; then from normalised to -1..1.</summary>
    private Tensor Sized(Tensor images)
    {
        using var scope = NewDisposeScope();
        var sized = images.shape[2] == size && images.shape[3] == size ? images
            : images.shape[2] >= size ? nn.functional.adaptive_avg_pool2d(images, [size, size])
            : nn.functional.interpolate(images, size: [size, size], mode: InterpolationMode.Bilinear, align_corners: false);
        Tensor Channels(Func<int, double> value) =>
            tensor([.. Enumerable.Range(0, pixels.Mean.Count).Select(c => (float)value(c))], [1, pixels.Mean.Count, 1, 1], device: images.device);
        // 2 (x σ + μ) - 1
        return sized.mul(Channels(c => 2 * pixels.Deviation[c])).Add(Channels(c => (2 * pixels.Mean[c]) - 1)).clone().Clamp_(-1, 1)
            .MoveToOuterDisposeScope();
    }
}
