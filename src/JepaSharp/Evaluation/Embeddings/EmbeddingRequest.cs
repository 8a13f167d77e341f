using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Features;
using JepaSharp.Models;

namespace JepaSharp.Evaluation.Embeddings;

/// <summary>What is embedded and how.</summary>
public sealed record EmbeddingRequest
{
    /// <summary>Frozen, in the precision to compute in.</summary>
    public required VisionTransformer Encoder { get; init; }

    /// <summary>The images; the caller keeps and disposes it.</summary>
    public required ImageSource Source { get; init; }

    /// <summary>Where <see cref="Source"/> was opened, by which a file that is replaced meanwhile is noticed; null where it is nowhere.</summary>
    public string? Address { get; init; }

    /// <summary>The normalisation that the encoder was trained with.</summary>
    public required PixelScaling Scaling { get; init; }

    /// <summary>How an image is brought to size: a multiple of the encoder's patch size, any.</summary>
    public required EvaluationTransform Transform { get; init; }

    /// <summary>Which representations.</summary>
    public EncoderOutput Output { get; init; } = new();

    /// <summary>Images a pass.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Further things to write into the output and to hold equal when a stopped job goes on.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// The parameter that stands for lengths and times of the images' files: for a job that goes on, not for those who read its output.
    /// </summary>
    internal const string ImageFiles = "image_files";

    /// <summary>Everything that the numbers depend on, as texts.</summary>
    internal Dictionary<string, string> Parameters()
    {
        var all = new Dictionary<string, string>(Facts)
        {
            ["pool"] = Output.PoolingOf(Encoder.Shape) ?? (Output.Pooled ? "mean" : "none"),
            ["layers"] = Output.Layers.ToString(CultureInfo.InvariantCulture),
            ["transform"] = Transform.ToString(),
            ["weights"] = WeightsFingerprint.Of(Encoder)[..24],
            ["images"] = Source.Count.ToString(CultureInfo.InvariantCulture),
            ["image_names"] = NamesDigest(),
        };
        if (Address is { } address) all[ImageFiles] = DataFingerprint.Of(address, Source)[..24];
        return all;
    }

    private string NamesDigest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < Source.Count; i++) hash.AppendData(Encoding.UTF8.GetBytes(Source.NameOf(i) + "\n"));
        return Shortened(hash);
    }

    private static string Shortened(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 12));
}
