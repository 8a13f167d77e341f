namespace JepaSharp.Weights;

/// <summary>Writes weights that were read from anywhere in the formats that others read, bit for bit.</summary>
public static class WeightsExport
{
    private static readonly Networks[] InOrder = [Networks.ContextEncoder, Networks.Predictor, Networks.TargetEncoder];

    /// <summary>Writes a safetensors file in the published names, with architecture, normalisation and epoch in its metadata.</summary>
    /// <param name="weights">Where from.</param>
    /// <param name="networks">Which networks, as far as the file has them; exactly one is required to be there.</param>
    /// <param name="normalization">How pixels were normalised in training.</param>
    /// <param name="path">The file to write or replace.</param>
    /// <returns>The networks that were written.</returns>
    /// <exception cref="WeightsFileException">A network is missing or incomplete, has numbers that are NaN or infinite, or the file cannot be written.</exception>
    public static IReadOnlyList<Networks> ToSafetensors(PretrainedWeights weights, Networks networks, PixelNormalization normalization, string path)
    {
        var chosen = Chosen(weights, networks);
        var tensors = chosen.SelectMany(network => Checked(weights, network).Select(pair => KeyValuePair.Create(WeightNames.Prefix(network) + pair.Key, pair.Value)));
        var predictor = chosen.Contains(Networks.Predictor) ? weights.Predictor : null;
        SafetensorsWriter.Write(path, [.. tensors], WeightsMetadata.Describe(weights.Encoder, predictor, normalization, weights.Epoch, weights.Resample));
        return chosen;
    }

    /// <summary>Writes one encoder as a Hugging Face folder: see <see cref="HuggingFaceFolder"/>.</summary>
    /// <param name="weights">Where from.</param>
    /// <param name="networks">The encoder; where there is a choice, the target encoder.</param>
    /// <param name="normalization">How pixels were normalised in training.</param>
    /// <param name="folder">Where to write.</param>
    /// <returns>The network that was written.</returns>
    /// <exception cref="WeightsFileException">The encoder is missing or incomplete, has numbers that are NaN or infinite, or a file cannot be written.</exception>
    public static IReadOnlyList<Networks> ToHuggingFace(PretrainedWeights weights, Networks networks, PixelNormalization normalization, string folder)
    {
        var encoders = Chosen(weights, networks & ~Networks.Predictor);
        var encoder = encoders.Contains(Networks.TargetEncoder) ? Networks.TargetEncoder : encoders[0];
        HuggingFaceFolder.Write(folder, Checked(weights, encoder), weights.Encoder, normalization, weights.Resample ?? HuggingFaceFolder.Bilinear);
        return [encoder];
    }

    private static Networks[] Chosen(PretrainedWeights weights, Networks networks)
    {
        Networks[] chosen = [.. InOrder.Where(network => networks.HasFlag(network) && weights.Present.HasFlag(network))];
        weights.Require(chosen.Length == 0 ? networks : chosen.Aggregate((a, b) => a | b));
        return chosen;
    }

    /// <summary>A network's weights, every number of which was looked at.</summary>
    private static IReadOnlyDictionary<string, LazyTensor> Checked(PretrainedWeights weights, Networks network)
    {
        var tensors = weights.Network(network);
        foreach (var name in tensors.Keys) weights.Read(WeightNames.Prefix(network) + name).Dispose();
        return tensors;
    }
}
