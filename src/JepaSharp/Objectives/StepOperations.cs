using JepaSharp.Models;

namespace JepaSharp.Objectives;

/// <summary>Floating-point operations of a step, or of a part of one, network by network: the same on every machine.</summary>
/// <remarks>
/// A product [M, K] x [K, N] counts 2 M K N: a multiplication and an addition. Counted are the matrix products of the method as published, from their
/// shapes: of linear layers, attention and the patch embedding, for the tokens that each network is given, forward and, where it is trained,
/// backward, a product for each factor that wants a gradient. Not counted: norms, softmax, activations, sums, the optimizer, averages, crops; what is
/// computed twice to save memory, or by every process alike. What an implementation leaves out because nobody reads it counts all the same.
/// </remarks>
/// <param name="Networks">Each network's, in any order.</param>
public sealed record StepOperations(IReadOnlyList<NetworkOperations> Networks)
{
    /// <summary>All of them.</summary>
    public double Total => Networks.Sum(n => n.Total);

    /// <summary>Those of networks of one role.</summary>
    public double Of(NetworkRole role) => Networks.Where(n => n.Role == role).Sum(n => n.Total);

    /// <summary>Of several parts together, each network once.</summary>
    public static StepOperations Sum(IEnumerable<StepOperations> parts) =>
        new([.. parts.SelectMany(p => p.Networks).GroupBy(n => (n.Network, n.Role)).Select(
            g => new NetworkOperations(g.Key.Network, g.Key.Role, g.Sum(n => n.Forward), g.Sum(n => n.Backward)))]);
}

/// <summary>Floating-point operations of one network.</summary>
/// <param name="Network">Its name: <see cref="Objectives.Network.Name"/>.</param>
/// <param name="Role">How its weights come about.</param>
/// <param name="Forward">Of its forward passes.</param>
/// <param name="Backward">Of its backward passes; 0 where it is not trained.</param>
public sealed record NetworkOperations(string Network, NetworkRole Role, double Forward, double Backward)
{
    /// <summary>Both.</summary>
    public double Total => Forward + Backward;

    /// <summary>An encoder that is given some patches of each of several images.</summary>
    /// <param name="network">Its name.</param>
    /// <param name="role">How its weights come about; with <see cref="NetworkRole.Trained"/> the backward pass counts.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="sequences">Images, each as often as it is encoded.</param>
    /// <param name="patches">Patches of each.</param>
    public static NetworkOperations OfEncoder(string network, NetworkRole role, VisionTransformerShape shape, double sequences, int patches)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var embedding = Affine(sequences * patches, (double)shape.Channels * shape.PatchSize * shape.PatchSize, shape.Width);
        var blocks = Blocks(shape.Depth, shape.Width, shape.MlpWidth, sequences, patches + (shape.ClassToken ? 1 : 0));
        // Pixels want no gradient.
        return new NetworkOperations(network, role, embedding + blocks, role == NetworkRole.Trained ? embedding + (2 * blocks) : 0);
    }

    /// <summary>I-JEPA's predictor, trained.</summary>
    /// <param name="network">Its name.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="encoder">Width of the encoder that it reads and predicts.</param>
    /// <param name="contexts">Contexts that it reads.</param>
    /// <param name="seen">Patches of each.</param>
    /// <param name="questions">Blocks that it predicts, each from one context.</param>
    /// <param name="asked">Patches of each.</param>
    public static NetworkOperations OfPredictor(
        string network, PredictorShape shape, int encoder, double contexts, int seen, double questions, int asked) =>
        OfPredictor(network, NetworkRole.Trained, shape, encoder, contexts, seen, questions, asked);

    /// <summary>I-JEPA's predictor, whose backward pass counts where it is trained.</summary>
    internal static NetworkOperations OfPredictor(
        string network, NetworkRole role, PredictorShape shape, int encoder, double contexts, int seen, double questions, int asked)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var forward = Affine(contexts * seen, encoder, shape.Width) + Blocks(shape.Depth, shape.Width, 4 * shape.Width, questions, seen + asked)
            + Affine(questions * asked, shape.Width, shape.Outputs ?? encoder);
        return new NetworkOperations(network, role, forward, role == NetworkRole.Trained ? 2 * forward : 0);
    }

    /// <summary>MAE's decoder, trained: it reads some patches of each image and the class token, and says something of all.</summary>
    /// <param name="network">Its name.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="encoder">Shape of the encoder that it reads.</param>
    /// <param name="images">Images.</param>
    /// <param name="kept">Patches of each that it reads.</param>
    public static NetworkOperations OfDecoder(string network, PixelDecoderShape shape, VisionTransformerShape encoder, double images, int kept)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(encoder);
        var forward = Affine(images * (kept + 1), encoder.Width, shape.Width)
            + Blocks(shape.Depth, shape.Width, shape.MlpWidth, images, encoder.Tokens)
            + Affine(images * encoder.Tokens, shape.Width, PatchPixels.CountOf(encoder));
        return new NetworkOperations(network, NetworkRole.Trained, forward, 2 * forward);
    }

    /// <summary>A linear layer on [rows, inputs], trained, whose input wants a gradient.</summary>
    /// <param name="network">Its name.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="inputs">Numbers in each.</param>
    /// <param name="outputs">Numbers that come out for each.</param>
    public static NetworkOperations OfHead(string network, double rows, int inputs, int outputs) =>
        OfHead(network, NetworkRole.Trained, rows, inputs, outputs);

    /// <summary>A linear layer on [rows, inputs], whose input wants a gradient where it is trained.</summary>
    /// <param name="network">Its name.</param>
    /// <param name="role">How its weights come about; with <see cref="NetworkRole.Trained"/> the backward pass counts.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="inputs">Numbers in each.</param>
    /// <param name="outputs">Numbers that come out for each.</param>
    public static NetworkOperations OfHead(string network, NetworkRole role, double rows, int inputs, int outputs)
    {
        var forward = Affine(rows, inputs, outputs);
        return new NetworkOperations(network, role, forward, role == NetworkRole.Trained ? 2 * forward : 0);
    }

    private static double Affine(double rows, double inputs, double outputs) => 2 * rows * inputs * outputs;

    /// <summary>Blocks: queries, keys, values, projection and MLP of every token; then scores and sums between all pairs of tokens.</summary>
    private static double Blocks(int depth, int width, int hidden, double sequences, int tokens)
    {
        var rows = sequences * tokens;
        return depth * (Affine(rows, width, (4.0 * width) + (2.0 * hidden)) + (2 * Affine(rows, width, tokens)));
    }
}
