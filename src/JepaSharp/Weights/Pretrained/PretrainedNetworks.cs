using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>Builds networks from weights.</summary>
/// <remarks>
/// Each tensor goes from the file straight into the network's own memory, which is not initialised before: loading takes hardly more memory than the
/// weights of the one network that is asked for.
/// </remarks>
public static class PretrainedNetworks
{
    /// <summary>An encoder, ready to encode: no gradients.</summary>
    /// <param name="weights">Where from; may be disposed of afterwards.</param>
    /// <param name="which">An encoder's name; null for the one that is to be used.</param>
    /// <param name="device">Where the network will live. Null: the CPU.</param>
    /// <exception cref="WeightsFileException">The file has not all of it, the number of heads is not known, or a number is NaN or
    /// infinite.</exception>
    public static VisionTransformer LoadEncoder(PretrainedWeights weights, string? which = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        which ??= weights.Evaluated;
        if (which == NetworkNames.Predictor) throw new ArgumentException("The predictor is no encoder.", nameof(which));
        weights.Require(which);
        return Loaded(weights, which, new VisionTransformer(weights.Encoder, device));
    }

    /// <summary>The predictor, without gradients.</summary>
    /// <param name="weights">Where from; may be disposed of afterwards.</param>
    /// <param name="device">Where the network will live. Null: the CPU.</param>
    /// <exception cref="WeightsFileException">The file has not all of it, the number of heads is not known, or a number is NaN or
    /// infinite.</exception>
    public static Predictor LoadPredictor(PretrainedWeights weights, Device? device = null)
    {
        weights.Require(NetworkNames.Predictor);
        return Loaded(weights, NetworkNames.Predictor, new Predictor(weights.Predictor!, weights.Encoder, device));
    }

    private static T Loaded<T>(PretrainedWeights weights, string which, T network)
        where T : nn.Module
    {
        try
        {
            foreach (var parameter in network.parameters()) parameter.requires_grad = false;
            foreach (var (name, tensor) in network.state_dict()) weights.ReadInto($"{which}.{name}", tensor);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}
