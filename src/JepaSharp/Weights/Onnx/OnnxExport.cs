using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using JepaSharp.Models;
using JepaSharp.Runtime;

namespace JepaSharp.Weights.Onnx;

/// <summary>Writes an encoder as an ONNX file that ONNX Runtime and others run without libtorch.</summary>
/// <remarks>
/// float32, operators of version 17. Input <c>pixels</c> [batch, C, H, W]; output <c>features</c> [batch, D] (or [batch, patches, D]), and with a
/// head <c>probabilities</c> [batch, K]. What a program must know to use it stands in the file's metadata: docs/exports.md.
/// </remarks>
public static class OnnxExport
{
    /// <summary>Names of the input and the outputs.</summary>
    public const string Pixels = "pixels", Features = "features", Probabilities = "probabilities";

    private static readonly JsonSerializerOptions PlainLetters = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the file, and beside it <c>PATH.data</c> with the weights where they take more than 2 GB.</summary>
    /// <param name="encoder">On the CPU; not changed.</param>
    /// <param name="normalization">How pixels were normalised in training.</param>
    /// <param name="options">What the file takes and gives.</param>
    /// <param name="path">The file to write or replace.</param>
    /// <returns>Every file that was written, the model first.</returns>
    /// <exception cref="JepaException">The encoder cannot be written so: the message says why, and what to do.</exception>
    public static IReadOnlyList<string> Write(
        VisionTransformer encoder, PixelNormalization normalization, OnnxOptions options, string path) =>
        Write(encoder, normalization, options, path, OnnxFile.LargestInside);

    internal static IReadOnlyList<string> Write(
        VisionTransformer encoder, PixelNormalization normalization, OnnxOptions options, string path, long largestInside)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(normalization);
        ArgumentNullException.ThrowIfNull(options);
        var shape = encoder.Shape;
        Require(shape, normalization, options);
        int? height = options.TakesAnySize ? null : options.Side ?? shape.ImageHeight;
        int? width = options.TakesAnySize ? null : options.Side ?? shape.ImageWidth;
        var graph = new OnnxGraph();
        object Side(int? size, string name) => size is { } known ? known : name;
        var pixels = graph.In(Pixels, "batch", shape.Channels, Side(height, "height"), Side(width, "width"));
        if (options.TakesAnySize) pixels = WholePatches(graph, pixels, shape.PatchSize);
        if (options.NormalizesInside) pixels = Normalized(graph, pixels, normalization);
        var network = new OnnxEncoder(encoder, graph);
        var pooling = new OnnxOutputs(graph, network, shape);
        var features = pooling.Of(network.Blocks(pixels, height, width), options.Pooling);
        var numbers = OnnxOutputs.WidthOf(options.Pooling, shape);
        object patches = height is { } h && width is { } w ? h / shape.PatchSize * (w / shape.PatchSize) : "patches";
        graph.Out(Features, features, options.Pooling == OnnxPooling.Patches ? ["batch", patches, numbers] : ["batch", numbers]);
        if (options.Head is { } head) graph.Out(Probabilities, pooling.Probabilities(features, head), "batch", head.Classes.Count);
        return OnnxFile.Write(path, graph, Texts(shape, normalization, options, height, width), largestInside);
    }

    private static void Require(VisionTransformerShape shape, PixelNormalization normalization, OnnxOptions options)
    {
        if (normalization.Mean.Count != shape.Channels)
            throw new JepaException(
                $"The encoder takes {shape.Channels} channels and the normalisation has {normalization.Mean.Count}; expected one each.",
                isUsage: true);
        if (options.TakesAnySize && options.Side is not null)
            throw new JepaException("Images of any size and of one size were both asked for; expected one of them.", isUsage: true);
        if (options.Side is { } side && (side < 1 || side % shape.PatchSize != 0))
            throw new JepaException($"Images of {side} pixels are no whole number of {shape.PatchSize}-pixel patches.", isUsage: true);
        if (options.TakesAnySize && shape.RelativePositions)
            throw new JepaException(
                "This encoder's relative positions are brought to another size by a spline that ONNX has no operator for. Give one size instead of "
                    + "any: they are then resized when the file is written.", isUsage: true);
        if (shape.RelativePositions && options.Side is { } other && other / shape.PatchSize is var patches
            && (patches != shape.GridHeight || patches != shape.GridWidth) && Math.Min(shape.GridHeight, shape.GridWidth) < 3)
            throw new JepaException("Relative positions of fewer than three patches a side cannot be resized.", isUsage: true);
        if (options.Pooling is OnnxPooling.ClassToken or OnnxPooling.ClassTokenUnnormed or OnnxPooling.SideBySide or OnnxPooling.Interleaved
            && !shape.ClassToken)
            throw new JepaException("A class token was asked for, and the encoder has none.", isUsage: true);
        if (options.Head is null) return;
        if (options.Pooling == OnnxPooling.Patches)
            throw new JepaException("A head takes one vector an image, and a vector for each patch was asked for.", isUsage: true);
        options.Head.Require(OnnxOutputs.WidthOf(options.Pooling, shape));
    }

    /// <summary>The same pixels; fails in a step that is named after what is wrong where a side is no multiple of the patch.</summary>
    private static string WholePatches(OnnxGraph graph, string pixels, int patch)
    {
        var sides = graph.Do("Slice", [graph.Do("Shape", [pixels]), graph.Whole(2), graph.Whole(4)]);
        var whole = graph.Do("Mul", [graph.Do("Div", [sides, graph.Whole(patch)]), graph.Whole(patch)]);
        var shape = graph.Do("Concat", [graph.Whole(0, 0), whole], ("axis", 0L));
        graph.Scope = $"sides_must_be_multiples_of_{patch}/";
        var same = graph.Do("Reshape", [pixels, shape]);
        graph.Scope = "";
        return same;
    }

    private static string Normalized(OnnxGraph graph, string pixels, PixelNormalization normalization)
    {
        string Channels(string name, IEnumerable<double> numbers) =>
            graph.Table(name, [.. numbers.Select(n => (float)n)], 1, normalization.Mean.Count, 1, 1);
        var centred = graph.Do("Sub", [pixels, Channels("normalization_mean", normalization.Mean)]);
        return graph.Do("Div", [centred, Channels("normalization_std", normalization.Deviation)]);
    }

    private static Dictionary<string, string> Texts(
        VisionTransformerShape shape, PixelNormalization normalization, OnnxOptions options, int? height, int? width)
    {
        var texts = WeightsMetadata.Describe(shape, normalization: normalization);
        string Side(int? size) => size?.ToString(CultureInfo.InvariantCulture) ?? "any";
        (texts["image_height"], texts["image_width"]) = (Side(height), Side(width));
        texts["input"] = options.NormalizesInside ? "rgb 0 to 1" : "rgb normalized";
        texts["pooling"] = OnnxOutputs.NameOf(options.Pooling, shape);
        if (options.Head is { } head) texts["classes"] = JsonSerializer.Serialize(head.Classes, PlainLetters);
        foreach (var (key, value) in options.Texts) texts[key] = value;
        return texts;
    }
}
