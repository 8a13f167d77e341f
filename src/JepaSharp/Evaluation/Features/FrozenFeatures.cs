using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Evaluation.Features;

/// <summary>Passes over images once and takes several kinds of features from each, without augmentation or randomness.</summary>
public static class FrozenFeatures
{
    /// <summary>Features [n, D] of each kind, and which images they are of.</summary>
    /// <param name="kinds">What to take of each image.</param>
    /// <param name="source">The images; those that cannot be read are left out.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="batchSize">Images a pass.</param>
    /// <param name="progress">Is told how many images are done.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Too many images cannot be read, a feature is not finite, or the features do not fit into one block of memory.</exception>
    public static IReadOnlyList<PooledFeatures> Extract(
        IReadOnlyList<ImageFeatures> kinds, ImageSource source, EvaluationTransform transform, int batchSize = 64, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        foreach (var kind in kinds)
        {
            if ((long)kind.Width * source.Count > Array.MaxLength)
                throw new JepaException(
                    $"{source.Count:N0} images of {kind.Width:N0} features each are more than one block of memory holds ({Array.MaxLength:N0} numbers). Use fewer layers, averaged patches, or fewer images.", isUsage: true);
        }

        var values = kinds.Select(kind => new float[kind.Width * source.Count]).ToArray();
        var seen = new List<int>(source.Count);
        foreach (var batch in new ImageReader(source, transform, batchSize).Read(cancellation))
        {
            for (var k = 0; k < kinds.Count; k++) kinds[k].Of(batch).CopyTo(values[k], seen.Count * kinds[k].Width);
            seen.AddRange(batch.Indices.AsSpan(0, batch.Count));
            progress?.Report(seen.Count);
        }

        int[] indices = [.. seen];
        return [.. kinds.Select((kind, k) => new PooledFeatures(
            new FeatureMatrix(indices.Length, kind.Width, indices.Length == source.Count ? values[k] : values[k][..(indices.Length * kind.Width)]), indices))];
    }
}
