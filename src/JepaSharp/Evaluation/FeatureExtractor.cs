using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation;

/// <summary>Runs images through a frozen encoder and keeps the average of its patch representations (paper, section 5: average pooling), or its class
/// token where it has one.</summary>
/// <remarks>Without gradients, augmentation or randomness: the same images and weights give the same features.</remarks>
public sealed class FeatureExtractor
{
    private readonly PixelScaling _scaling;
    private readonly EvaluationTransform _transform;
    private readonly Device _device;
    private readonly int _batchSize;

    /// <summary>An extractor for encoders on a device.</summary>
    /// <param name="scaling">The normalisation that the encoder was trained with.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="device">Where the encoders are.</param>
    /// <param name="batchSize">Images a pass, of up to 96 pixels; fewer of larger ones, so that a stop need not wait for many.</param>
    public FeatureExtractor(PixelScaling scaling, EvaluationTransform transform, Device device, int batchSize = 64) =>
        (_scaling, _transform, _device, _batchSize) = (
            scaling, transform, device,
            Math.Clamp((int)((long)batchSize * 96 * 96 / ((long)transform.Size * transform.Size)), Math.Min(8, batchSize), batchSize));

    /// <summary>Features [n, D] of the images that could be read, and which those are.</summary>
    /// <param name="encoder">Frozen; not changed.</param>
    /// <param name="source">The images.</param>
    /// <param name="indices">[n] which of them, in this order; null for all.</param>
    /// <param name="progress">Is told how many images are done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public PooledFeatures Pooled(
        VisionTransformer encoder, ImageSource source, IReadOnlyList<int>? indices = null, IProgress<int>? progress = null,
        CancellationToken cancellation = default)
    {
        var width = encoder.Shape.Width;
        var values = new List<float>((indices?.Count ?? source.Count) * width);
        var seen = new List<int>(indices?.Count ?? source.Count);
        using var untracked = no_grad();
        foreach (var batch in new ImageReader(source, _transform, _batchSize).Read(indices, cancellation))
        {
            using var scope = NewDisposeScope();
            var pooled = Pool(encoder, batch);
            values.AddRange(pooled.data<float>().ToArray());
            seen.AddRange(batch.Indices.AsSpan(0, batch.Count).ToArray());
            progress?.Report(seen.Count);
        }

        return new PooledFeatures(new FeatureMatrix(seen.Count, width, [.. values]), [.. seen]);
    }

    private Tensor Pool(VisionTransformer encoder, ImageBatch batch) =>
        EncodedTokens.Pooled(encoder.forward(_scaling.ToImages(batch).to(_device)).to(float32), encoder.Shape).cpu().contiguous();
}

/// <summary>Pooled features and the images that they are of.</summary>
/// <param name="Matrix">[n, D].</param>
/// <param name="Indices">[n] indices into the source, ascending as asked for; images that could not be read are left out.</param>
public sealed record PooledFeatures(FeatureMatrix Matrix, int[] Indices);
