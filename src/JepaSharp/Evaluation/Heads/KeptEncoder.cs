using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Evaluation.Heads;

/// <summary>How a head keeps the encoder that it reads: as a path and a fingerprint, or as a copy.</summary>
public sealed class KeptEncoder
{
    private readonly Action<string>? _copy;

    private KeptEncoder(HeadEncoder record, Action<string>? copy) => (Record, _copy) = (record, copy);

    internal HeadEncoder Record { get; }

    /// <summary>A reference to weights that stay where they are.</summary>
    /// <param name="path">Where they are; kept as an absolute path.</param>
    /// <param name="network">The encoder's name in them.</param>
    /// <param name="encoder">The encoder, as it was loaded.</param>
    /// <param name="normalization">How pixels are normalised.</param>
    public static KeptEncoder Referenced(string path, string network, VisionTransformer encoder, PixelNormalization normalization) =>
        new(RecordOf(Path.GetFullPath(HomePath.Expand(path)), network, encoder, normalization), null);

    /// <summary>A copy beside the head, which can then be moved and sent.</summary>
    /// <param name="path">Where the weights are.</param>
    /// <param name="network">The encoder's name in them.</param>
    /// <param name="encoder">The encoder, as it was loaded.</param>
    /// <param name="normalization">How pixels are normalised.</param>
    public static KeptEncoder Embedded(string path, string network, VisionTransformer encoder, PixelNormalization normalization)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var heads = encoder.Shape.Heads;
        return new(RecordOf(null, network, encoder, normalization), into =>
        {
            using var weights = PretrainedWeights.Open(path, heads);
            WeightsExport.ToSafetensors(weights, network, normalization, into);
        });
    }

    /// <summary>The encoder that was trained with a head, which is always copied.</summary>
    internal KeptEncoder Tuned(VisionTransformer tuned)
    {
        const string Network = "encoder";
        var normalization = Record.Normalization;
        return new(RecordOf(null, Network, tuned, normalization), into =>
        {
            var texts = WeightsMetadata.Describe(tuned.Shape, normalization: normalization);
            WeightsMetadata.DescribeObjective(texts, "fine-tuning", [Network], Network);
            SafetensorsWriter.Write(into, tuned.state_dict().Select(w => KeyValuePair.Create($"{Network}.{w.Key}", w.Value)), texts);
        });
    }

    /// <summary>Writes the copy, where there is to be one.</summary>
    internal void CopyInto(string file) => _copy?.Invoke(file);

    private static HeadEncoder RecordOf(string? path, string network, VisionTransformer encoder, PixelNormalization normalization)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(normalization);
        return new HeadEncoder(path, network, encoder.Shape.Heads, WeightsFingerprint.Of(encoder), normalization.Mean, normalization.Deviation);
    }
}
