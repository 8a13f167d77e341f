using System.Globalization;
using JepaSharp.Data;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Features;

/// <summary>What a frozen encoder says of an image: its patches averaged, or side by side.</summary>
/// <remarks>Paper, appendix A.2: the averaged patches of the last layer, or those of the last four layers side by side (the last one last).</remarks>
public sealed class EncoderFeatures : ImageFeatures
{
    private readonly VisionTransformer _encoder;
    private readonly PixelScaling _scaling;
    private readonly EncoderOutput _output;

    /// <summary>Features of an encoder, which is not changed and not owned.</summary>
    /// <param name="name">What to call them.</param>
    /// <param name="encoder">Frozen, in the precision to compute in.</param>
    /// <param name="scaling">The normalisation that the encoder was trained with.</param>
    /// <param name="output">Which layers, and whether averaged.</param>
    /// <param name="size">H = W of the images in pixels.</param>
    /// <param name="computation">What else the numbers depend on: device, precision, normalisation.</param>
    public EncoderFeatures(string name, VisionTransformer encoder, PixelScaling scaling, EncoderOutput output, int size, string computation)
    {
        (Name, _encoder, _scaling, _output) = (name, encoder, scaling, output);
        var side = size / encoder.Shape.PatchSize;
        Width = output.WidthOf(encoder) * (output.Pooled ? 1 : side * side);
        Identity = string.Create(CultureInfo.InvariantCulture, $"encoder {WeightsFingerprint.Of(encoder)}; {encoder.Shape}; layers {output.Layers}; averaged {output.Pooled}; {computation}");
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override int Width { get; }

    /// <inheritdoc/>
    public override string Identity { get; }

    /// <inheritdoc/>
    public override float[] Of(ImageBatch batch)
    {
        using var scope = NewDisposeScope();
        return _output.Of(_encoder, _scaling.ToImages(batch)).cpu().contiguous().data<float>().ToArray();
    }
}
