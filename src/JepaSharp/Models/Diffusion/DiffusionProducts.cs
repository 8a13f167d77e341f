namespace JepaSharp.Models.Diffusion;

/// <summary>Floating-point operations of a <see cref="DiffusionUNet"/> on an image: its products, from their shapes.</summary>
/// <param name="Forward">Of a forward pass.</param>
/// <param name="OfInputs">Those of them whose input wants no gradient: the image, the step and the representation.</param>
internal sealed record DiffusionProducts(double Forward, double OfInputs)
{
    /// <summary>Of a backward pass to all weights.</summary>
    public double Backward => (2 * Forward) - OfInputs;

    /// <summary>Of a network of a shape.</summary>
    public static DiffusionProducts Of(DiffusionUNetShape shape)
    {
        double embedding = shape.Embedding, width = shape.Multipliers[0] * shape.Channels;
        var inputs = (2 * embedding * (shape.Channels + shape.Condition)) + Convolution(3, width, 3, shape.ImageSize);
        var total = inputs + (2 * embedding * embedding) + Convolution(width, shape.Outputs, 3, shape.ImageSize);
        Stack<double> kept = new([width]);
        var (channels, last) = (width, shape.Multipliers.Count - 1);
        for (var level = 0; level <= last; level++)
        {
            double wide = shape.Multipliers[level] * shape.Channels;
            var side = shape.ImageSize >> level;
            for (var block = 0; block < shape.Blocks; block++, channels = wide)
            {
                total += Block(shape, channels, wide, side) + Attention(shape, wide, side);
                kept.Push(wide);
            }

            if (level == last) break;
            total += Resizing(shape, channels, side / 2);
            kept.Push(channels);
        }

        var lowest = shape.ImageSize >> last;
        total += (2 * Block(shape, channels, channels, lowest)) + Attention(channels, lowest);
        for (var level = last; level >= 0; level--)
        {
            double wide = shape.Multipliers[level] * shape.Channels;
            var side = shape.ImageSize >> level;
            for (var block = 0; block <= shape.Blocks; block++, channels = wide)
                total += Block(shape, channels + kept.Pop(), wide, side) + Attention(shape, wide, side);
            if (level > 0) total += Resizing(shape, wide, 2 * side);
        }

        return new DiffusionProducts(total, inputs);
    }

    private static double Convolution(double inputs, double outputs, int kernel, int side) => 2 * inputs * outputs * kernel * kernel * side * side;

    private static double Block(DiffusionUNetShape shape, double inputs, double outputs, int side) =>
        Convolution(inputs, outputs, 3, side) + Convolution(outputs, outputs, 3, side)
        + (inputs == outputs ? 0 : Convolution(inputs, outputs, 1, side))
        + (2 * shape.Embedding * (shape.ScalesAndShifts ? 2 : 1) * outputs);

    private static double Resizing(DiffusionUNetShape shape, double channels, int side) =>
        shape.ResizesInBlocks ? Block(shape, channels, channels, side) : Convolution(channels, channels, 3, side);

    private static double Attention(DiffusionUNetShape shape, double channels, int side) => shape.AttendsAt(side) ? Attention(channels, side) : 0;

    private static double Attention(double channels, int side)
    {
        double places = side * side;
        return (8 * channels * channels * places) + (4 * places * places * channels);
    }
}
