using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Fixed two-dimensional sine-cosine position embeddings, and their interpolation to another grid.</summary>
/// <remarks>
/// For a patch in row r and column c, the first D/2 numbers encode c and the last D/2 encode r; each half is
/// sin(p w_k) for k = 0..D/4-1, then cos(p w_k), with w_k = 10000^(-k / (D/4)). As in MAE (He et al., 2022, appendix A.1) and the
/// published I-JEPA code, whose tables are reproduced to the last bit of float32.
/// </remarks>
public static class PositionTable
{
    /// <summary>The table of a grid: float32 [N, D], rows in row-major patch order.</summary>
    /// <exception cref="ArgumentException">D is not a multiple of 4.</exception>
    public static float[] SineCosine(int gridHeight, int gridWidth, int width)
    {
        if (width % 4 != 0) throw new ArgumentException($"Width {width} is not a multiple of 4.", nameof(width));
        var quarter = width / 4;
        var table = new float[gridHeight * gridWidth * width];
        for (var row = 0; row < gridHeight; row++)
        {
            for (var column = 0; column < gridWidth; column++)
            {
                var entry = table.AsSpan(((row * gridWidth) + column) * width, width);
                for (var k = 0; k < quarter; k++)
                {
                    var frequency = 1.0 / Math.Pow(10000, k / (double)quarter);
                    entry[k] = (float)Math.Sin(column * frequency);
                    entry[quarter + k] = (float)Math.Cos(column * frequency);
                    entry[(2 * quarter) + k] = (float)Math.Sin(row * frequency);
                    entry[(3 * quarter) + k] = (float)Math.Cos(row * frequency);
                }
            }
        }

        return table;
    }

    /// <summary>Resamples a table to another grid: [1, N, D] -> [1, N', D], bicubic, as Hugging Face transformers does.</summary>
    /// <remarks>Deviation: the published code subtracts a class token that does not exist, so that its interpolation fails.</remarks>
    public static Tensor Interpolate(Tensor table, int gridHeight, int gridWidth, int newHeight, int newWidth)
    {
        if (gridHeight == newHeight && gridWidth == newWidth) return table.alias();
        using var scope = NewDisposeScope();
        var width = table.shape[2];
        var map = table.reshape(1, gridHeight, gridWidth, width).permute(0, 3, 1, 2);
        map = nn.functional.interpolate(map, size: [newHeight, newWidth], mode: InterpolationMode.Bicubic, align_corners: false);
        return map.permute(0, 2, 3, 1).reshape(1, (long)newHeight * newWidth, width).MoveToOuterDisposeScope();
    }

    /// <summary>A network's table for images of another size; a class token's row stays as it is.</summary>
    /// <param name="table">float32 [1, N, D], or [1, N + 1, D] with a class token's row first.</param>
    /// <param name="shape">Of the encoder whose grid it is of.</param>
    /// <param name="newHeight">Rows of the new grid.</param>
    /// <param name="newWidth">Columns of the new grid.</param>
    /// <returns>[1, N', D] or [1, N' + 1, D], with gradients to the table where it has any.</returns>
    public static Tensor Resize(Tensor table, VisionTransformerShape shape, int newHeight, int newWidth)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(shape);
        if ((shape.GridHeight, shape.GridWidth) == (newHeight, newWidth)) return table.alias();
        using var scope = NewDisposeScope();
        var patches = shape.ClassToken ? table.narrow(1, 1, shape.Patches) : table;
        var resized = Interpolate(patches, shape.GridHeight, shape.GridWidth, newHeight, newWidth);
        return (shape.ClassToken ? cat([table.narrow(1, 0, 1), resized], dim: 1) : resized).MoveToOuterDisposeScope();
    }
}

/// <summary>What encoder and predictor share in being built.</summary>
internal static class Positions
{
    /// <summary>The fixed table of an encoder's grid as a buffer [1, N, width]; shape alone on the meta device.</summary>
    /// <param name="encoder">Whose grid.</param>
    /// <param name="width">D, or the predictor's.</param>
    /// <param name="device">Where to.</param>
    /// <param name="classRow">A row of zeros first, for a class token (as in MAE): [1, N + 1, width].</param>
    public static Tensor Buffer(VisionTransformerShape encoder, int width, Device device, bool classRow = false)
    {
        long[] shape = [1, encoder.Patches + (classRow ? 1 : 0), width];
        if (device.type == DeviceType.META) return empty(shape, float32, device);
        var table = PositionTable.SineCosine(encoder.GridHeight, encoder.GridWidth, width);
        return tensor(classRow ? [.. new float[width], .. table] : table, shape, device: device);
    }

    /// <summary>Takes a new module's parameters and buffers out of the scope it was built in, so that they live as long as the module.</summary>
    public static void Detach(nn.Module module, DisposeScope scope)
    {
        foreach (var parameter in module.parameters()) scope.Detach(parameter);
        foreach (var buffer in module.buffers()) scope.Detach(buffer);
    }
}
