using System.Globalization;
using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Features;

/// <summary>What a frozen encoder says of an image: its class token where it has one, its patches averaged, or side by side.</summary>
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
        Identity = string.Create(CultureInfo.InvariantCulture,
            $"encoder {WeightsFingerprint.Of(encoder)}; {encoder.Shape}; layers {output.Layers}; "
                + $"averaged {output.PoolingOf(encoder.Shape) ?? output.Pooled.ToString()}; {computation}");
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

/// <summary>A fixed map from images to vectors: a frozen encoder, or the pixels themselves. The same image always gives the same vector.</summary>
public abstract class ImageFeatures
{
    /// <summary>What a person would call it: "target encoder".</summary>
    public abstract string Name { get; }

    /// <summary>D, numbers an image.</summary>
    public abstract int Width { get; }

    /// <summary>Everything but the images that the numbers depend on, as a text: equal texts mean equal numbers.</summary>
    public abstract string Identity { get; }

    /// <summary>float32 [B, D] row-major.</summary>
    /// <param name="batch">uint8 [B, H, W, 3].</param>
    public abstract float[] Of(ImageBatch batch);
}

/// <summary>Passes over images once and takes several kinds of features from each, without augmentation or randomness.</summary>
public static class FrozenFeatures
{
    /// <summary>Refuses ranks that do not find the same images.</summary>
    /// <param name="ranks">All of them.</param>
    /// <param name="source">What this one finds.</param>
    /// <exception cref="JepaException">They differ; thrown on all ranks alike.</exception>
    public static void RequireAlike(Collective ranks, ImageSource source) => SharedPass.RequireAlike(ranks, source);

    /// <summary>Features [n, D] of each kind, and which images they are of.</summary>
    /// <param name="kinds">What to take of each image.</param>
    /// <param name="source">The images; those that cannot be read are left out.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="batchSize">Images a pass.</param>
    /// <param name="progress">Is told how many images are done.</param>
    /// <param name="ranks">The processes that share the images, each of which asks for the same; the first gets all, the others none. Null for one
    /// alone.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Too many images cannot be read, a feature is not finite, or the features do not fit into one block of
    /// memory.</exception>
    public static IReadOnlyList<PooledFeatures> Extract(
        IReadOnlyList<ImageFeatures> kinds, ImageSource source, EvaluationTransform transform, int batchSize = 64, IProgress<int>? progress = null,
        Collective? ranks = null, CancellationToken cancellation = default)
    {
        foreach (var kind in kinds)
        {
            if ((long)kind.Width * source.Count > Array.MaxLength)
                throw new JepaException(
                    $"{source.Count:N0} images of {kind.Width:N0} features each are more than one block of memory holds ({Array.MaxLength:N0} "
                        + $"numbers). Use fewer layers, averaged patches, or fewer images.", isUsage: true);
        }

        ranks ??= Collective.Alone;
        var values = kinds.Select(kind => ranks.IsFirst ? new float[kind.Width * source.Count] : []).ToArray();
        var seen = new List<int>(source.Count);
        var pass = new SharedPass(ranks, source, transform, batchSize);
        foreach (var batch in pass.Over(0, images => [.. kinds.Select(kind => kind.Of(images))], cancellation))
        {
            for (var k = 0; k < kinds.Count; k++) batch.Values[k].CopyTo(values[k], seen.Count * kinds[k].Width);
            seen.AddRange(batch.Indices);
            progress?.Report(seen.Count);
        }

        cancellation.ThrowIfCancellationRequested();
        if (pass.IsStopped) throw new JepaException("Another process was asked to stop.");

        if (!ranks.IsFirst) return [];
        int[] indices = [.. seen];
        return [.. kinds.Select((kind, k) => new PooledFeatures(
            new FeatureMatrix(indices.Length, kind.Width, indices.Length == source.Count ? values[k] : values[k][..(indices.Length * kind.Width)]),
            indices))];
    }
}
