using JepaSharp.Models;
using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>Writes weights that were read from anywhere in the formats that others read, bit for bit.</summary>
public static class WeightsExport
{
    /// <summary>Writes a safetensors file in the published names, with architecture, normalisation and epoch in its metadata.</summary>
    /// <param name="weights">Where from.</param>
    /// <param name="network">One network alone, by its name; null for all that the file has.</param>
    /// <param name="normalization">How pixels were normalised in training.</param>
    /// <param name="path">The file to write or replace.</param>
    /// <returns>The networks that were written.</returns>
    /// <exception cref="WeightsFileException">A network is missing or incomplete, has numbers that are NaN or infinite, or the file cannot be
    /// written.</exception>
    public static IReadOnlyList<string> ToSafetensors(PretrainedWeights weights, string? network, PixelNormalization normalization, string path)
    {
        ArgumentNullException.ThrowIfNull(weights);
        IReadOnlyList<string> chosen = network is null ? weights.Present : [network];
        weights.Require([.. chosen]);
        var tensors = chosen.SelectMany(name => Checked(weights, name).Select(pair => KeyValuePair.Create($"{name}.{pair.Key}", pair.Value)));
        var predictor = chosen.Contains(NetworkNames.Predictor) ? weights.Predictor : null;
        var texts = WeightsMetadata.Describe(weights.Encoder, predictor, normalization, weights.Epoch, weights.Resample);
        if (chosen.Contains(NetworkNames.Decoder) && weights.DecoderArchitecture is { } decoder)
            WeightsMetadata.DescribeDecoder(texts, decoder, weights.NormalizesPatches);
        if (weights.Objective is { } objective)
            WeightsMetadata.DescribeObjective(texts, objective, chosen, chosen.Contains(weights.Evaluated) ? weights.Evaluated : chosen[0]);
        SafetensorsWriter.Write(path, [.. tensors], texts);
        return chosen;
    }

    /// <summary>Writes one encoder, and MAE's decoder where no encoder is named, as a Hugging Face folder: see
    /// <see cref="HuggingFaceFolder"/>.</summary>
    /// <param name="weights">Where from.</param>
    /// <param name="network">The encoder's name; null for the one that is to be used.</param>
    /// <param name="normalization">How pixels were normalised in training.</param>
    /// <param name="folder">Where to write.</param>
    /// <returns>The networks that were written.</returns>
    /// <exception cref="WeightsFileException">The encoder is missing or incomplete, has numbers that are NaN or infinite, or a file cannot be
    /// written.</exception>
    public static IReadOnlyList<string> ToHuggingFace(PretrainedWeights weights, string? network, PixelNormalization normalization, string folder)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var encoder = network ?? weights.Evaluated;
        weights.Require(encoder);
        if (weights.Encoder is { ClassToken: true, LearnedPositions: true, KeyBias: true, Resizing: PositionResizing.BicubicAntialiased }
            or { KeyBias: true } and ({ RelativePositions: true } or { LayerScale: true }))
            throw new WeightsFileException(
                weights.Path, $"an encoder with a class token ('{StateLayout.ClassToken}') and learned positions that are resized as timm does",
                "one that Hugging Face's IJepaModel, ViTMAEModel, ViTModel or ViTMSNModel can hold: export this one with --to safetensors, in the "
                    + "names that timm gives");
        // MAE's decoder goes along: it is a part of the model there.
        var decoder = network is null && weights.Has(NetworkNames.Decoder) ? weights.DecoderArchitecture : null;
        if (decoder is { Heads: 0 })
            throw new WeightsFileException(
                weights.Path, "nothing that tells the number of the decoder's attention heads", $"it, or the encoder alone: --encoder {encoder}");
        if (decoder is not null) weights.Require(NetworkNames.Decoder);
        var beside = decoder is null
            ? null
            : new HuggingFaceDecoder(Checked(weights, NetworkNames.Decoder), decoder, weights.NormalizesPatches ?? true);
        HuggingFaceFolder.Write(
            folder, Checked(weights, encoder), weights.Encoder, normalization, weights.Resample ?? HuggingFaceFolder.Bilinear, beside,
            weights.Objective);
        return decoder is null ? [encoder] : [encoder, NetworkNames.Decoder];
    }

    /// <summary>A network's weights, every number of which was looked at.</summary>
    private static IReadOnlyDictionary<string, LazyTensor> Checked(PretrainedWeights weights, string network)
    {
        var tensors = weights.Network(network);
        foreach (var name in tensors.Keys) weights.Read($"{network}.{name}").Dispose();
        return tensors;
    }
}

/// <summary>A weights file that cannot be used (or written), with the file, what was found and what was expected.</summary>
public sealed class WeightsFileException : JepaException
{
    /// <summary>A file whose content is refused.</summary>
    /// <param name="file">The file, as the user named it.</param>
    /// <param name="found">What the file holds, as the end of a sentence: "a header of 12 GB".</param>
    /// <param name="expected">What it should hold, and where it helps what to do about it.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public WeightsFileException(string file, string found, string expected, Exception? inner = null)
        : base($"{file}: found {found}; expected {expected}.", isUsage: true, inner)
    {
        (File, Found, Expected) = (file, found, expected);
    }

    private WeightsFileException(string file, string message, Exception cause)
        : base(message, isUsage: false, cause)
    {
        (File, Found, Expected) = (file, cause.Message, "");
    }

    /// <summary>The file, as the user named it.</summary>
    public string File { get; }

    /// <summary>What was found.</summary>
    public string Found { get; }

    /// <summary>What was expected; empty where the operating system failed, not the content.</summary>
    public string Expected { get; }

    /// <summary>A failure of the operating system while a file was read or written: disk full, no permission, vanished folder.</summary>
    internal static WeightsFileException Failed(string file, string doing, Exception cause) =>
        new(file, $"{file}: {doing} failed: {cause.Message}", cause);
}
