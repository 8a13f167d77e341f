using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Images cut into patches, as numbers to predict.</summary>
public static class PatchPixels
{
    /// <summary>Numbers of a patch.</summary>
    /// <param name="encoder">Says the patch and the channels.</param>
    public static int CountOf(VisionTransformerShape encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return encoder.Channels * encoder.PatchSize * encoder.PatchSize;
    }

    /// <summary>The pixels of every patch, row by row, in each the columns, in each the channels, as in MAE (He et al., 2022).</summary>
    /// <param name="images">[B, C, H, W], sides multiples of P.</param>
    /// <param name="patch">P.</param>
    /// <returns>[B, N, P P C].</returns>
    public static Tensor Of(Tensor images, int patch)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        long batch = images.shape[0], channels = images.shape[1], rows = images.shape[2] / patch, columns = images.shape[3] / patch;
        return images.reshape(batch, channels, rows, patch, columns, patch).permute(0, 2, 4, 3, 5, 1)
            .reshape(batch, rows * columns, patch * patch * channels).MoveToOuterDisposeScope();
    }
}
