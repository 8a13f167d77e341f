using JepaSharp.Data.Cropping;
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

    /// <summary>An encoder's table for images of another size, in the encoder's own way; a class token's row stays as it is.</summary>
    /// <param name="table">float32 [1, N, D], or [1, N + 1, D] with a class token's row first.</param>
    /// <param name="shape">Whose table it is.</param>
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
        Func<Tensor, int, int, int, int, Tensor> resize = shape.Resizing switch
        {
            PositionResizing.BicubicAntialiased => InterpolateAntialiased,
            PositionResizing.BicubicOffset => InterpolateOffset,
            _ => Interpolate,
        };
        var resized = resize(patches, shape.GridHeight, shape.GridWidth, newHeight, newWidth);
        return (shape.ClassToken ? cat([table.narrow(1, 0, 1), resized], dim: 1) : resized).MoveToOuterDisposeScope();
    }

    /// <summary>Resamples a table to another grid: [1, N, D] -> [1, N', D], bicubic with a = -0.5, its kernel widened where the grid shrinks and
    /// cut off and scaled anew at the border, as timm does.</summary>
    /// <remarks>Rows and columns apart: T' = R T C, where R [h', h] and C [w', w] are <see cref="AxisWeights"/>' kernel.</remarks>
    public static Tensor InterpolateAntialiased(Tensor table, int gridHeight, int gridWidth, int newHeight, int newWidth)
    {
        ArgumentNullException.ThrowIfNull(table);
        return Separately(table, (gridHeight, gridWidth), (newHeight, newWidth), AntialiasedWeights);
    }

    /// <summary>Resamples a table to another grid: [1, N, D] -> [1, N', D], bicubic with a = -0.75 at places that are not quite those of the new
    /// grid, as DINO is published.</summary>
    /// <remarks>Place i of h' lies at (i + 0.5) h / (h' + 0.1) - 0.5 of the h rows; beyond the border, the border's row counts.</remarks>
    public static Tensor InterpolateOffset(Tensor table, int gridHeight, int gridWidth, int newHeight, int newWidth)
    {
        ArgumentNullException.ThrowIfNull(table);
        return Separately(table, (gridHeight, gridWidth), (newHeight, newWidth), OffsetWeights);
    }

    /// <summary>T' = R T C, rows and columns apart, with the weights [after, before] of each.</summary>
    private static Tensor Separately(Tensor table, (int Height, int Width) before, (int Height, int Width) after, Func<int, int, float[]> weights)
    {
        using var scope = NewDisposeScope();
        Tensor Along(int from, int to) => tensor(weights(from, to), [to, from], device: table.device);
        var width = table.shape[2];
        var rows = Along(before.Height, after.Height).matmul(table.reshape(before.Height, before.Width * width));
        var both = Along(before.Width, after.Width).matmul(rows.view(after.Height, before.Width, width));
        return both.reshape(1, (long)after.Height * after.Width, width).MoveToOuterDisposeScope();
    }

    /// <summary>[after, before]: what each position of before weighs in each of after; every row sums to 1.</summary>
    private static float[] AntialiasedWeights(int before, int after)
    {
        var weights = new float[after * before];
        var scale = (double)before / after;
        var widening = Math.Max(scale, 1);
        for (var i = 0; i < after; i++)
        {
            var center = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(center - (2 * widening) + 0.5));
            var end = Math.Min(before, (int)(center + (2 * widening) + 0.5));
            double Weight(int j) => AxisWeights.Kernel(ResampleFilter.Bicubic, (j - center + 0.5) / widening);
            var sum = Enumerable.Range(first, end - first).Sum(Weight);
            for (var j = first; j < end; j++) weights[(i * before) + j] = (float)(Weight(j) / sum);
        }

        return weights;
    }

    private static float[] OffsetWeights(int before, int after)
    {
        var weights = new float[after * before];
        for (var i = 0; i < after; i++)
        {
            var place = ((i + 0.5) * before / (after + 0.1)) - 0.5;
            var floor = (int)Math.Floor(place);
            for (var tap = -1; tap <= 2; tap++)
                weights[(i * before) + Math.Clamp(floor + tap, 0, before - 1)] += (float)CubicConvolution(place - floor - tap);
        }

        return weights;
    }

    // Keys' kernel with a = -0.75: (a + 2) |x|^3 - (a + 3) |x|^2 + 1 within 1, a (|x|^3 - 5 |x|^2 + 8 |x| - 4) within 2.
    private static double CubicConvolution(double x)
    {
        const double A = -0.75;
        x = Math.Abs(x);
        return x <= 1 ? ((((A + 2) * x) - (A + 3)) * x * x) + 1 : A * ((((((x - 5) * x) + 8) * x)) - 4);
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
