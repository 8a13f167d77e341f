using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.FineTuning;

/// <summary>An encoder with a linear head on the average of its patches, trained and ready to be used.</summary>
public sealed class FineTunedClassifier : IDisposable
{
    private readonly PixelNormalization _normalization;
    private readonly PixelScaling _scaling;

    /// <summary>Takes over both networks.</summary>
    /// <param name="encoder">The encoder.</param>
    /// <param name="head">On the average of its patches; as many outputs as there are classes.</param>
    /// <param name="normalization">How pixels were normalised in training.</param>
    /// <param name="device">Where both are.</param>
    public FineTunedClassifier(VisionTransformer encoder, LinearHead head, PixelNormalization normalization, Device device)
    {
        (Encoder, Head, _normalization) = (encoder, head, normalization);
        _scaling = new PixelScaling([.. normalization.Mean], [.. normalization.Deviation], device);
    }

    /// <summary>The encoder.</summary>
    public VisionTransformer Encoder { get; }

    /// <summary>The head.</summary>
    public LinearHead Head { get; }

    /// <summary>The images to fit on that it was not trained on because they could not be read; null where all could.</summary>
    public LeftOutImages? LeftOut { get; init; }

    /// <summary>How often it is right on images that it was not trained on.</summary>
    /// <param name="test">The images.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="batchSize">Images a pass.</param>
    /// <param name="set">What the images are called where some cannot be read.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Too many images cannot be read.</exception>
    public ClassificationScore Score(
        LabelledImages test, EvaluationTransform transform, int batchSize = 64, string set = "test images", CancellationToken cancellation = default)
    {
        var (predicted, read) = (new List<int>(test.Labels.Length), new List<int>(test.Labels.Length));
        using var untracked = no_grad();
        foreach (var batch in new ImageReader(test.Source, transform, batchSize).Read(cancellation))
        {
            using var scope = NewDisposeScope();
            var pooled = EncodedTokens.Patches(Encoder.forward(_scaling.ToImages(batch)).to(float32), Encoder.Shape).mean([1L]);
            predicted.AddRange(Head.forward(pooled).argmax(1).cpu().data<long>().ToArray().Select(label => (int)label));
            read.AddRange(batch.Indices.Take(batch.Count));
        }

        int[] truth = [.. read.Select(i => test.Labels[i])];
        return ClassificationScore.Of(predicted.ToArray(), truth, Head.Outputs) with { LeftOut = LeftOutImages.Of(set, test.Source, read) };
    }

    /// <summary>Writes both networks into a file: <c>encoder.*</c> and <c>head.*</c>.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="JepaException">It cannot be written.</exception>
    public void Save(string path)
    {
        var texts = WeightsMetadata.Describe(Encoder.Shape, normalization: _normalization);
        WeightsMetadata.DescribeObjective(texts, "fine-tuning", ["encoder", "head"], "encoder");
        SafetensorsWriter.Write(path, [.. WeightsOf("encoder", Encoder), .. WeightsOf("head", Head)], texts);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Encoder.Dispose();
        Head.Dispose();
        _scaling.Dispose();
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> WeightsOf(string network, nn.Module module) =>
        module.state_dict().Select(w => KeyValuePair.Create($"{network}.{w.Key}", w.Value));
}
