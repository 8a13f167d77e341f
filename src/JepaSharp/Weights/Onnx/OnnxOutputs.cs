using JepaSharp.Models;

namespace JepaSharp.Weights.Onnx;

/// <summary>What is taken of an encoder's tokens, in ONNX's operators.</summary>
internal sealed class OnnxOutputs(OnnxGraph graph, OnnxEncoder encoder, VisionTransformerShape shape)
{
    private static readonly long[] OverPatches = [1];

    /// <summary>Numbers of one vector.</summary>
    public static int WidthOf(OnnxPooling pooling, VisionTransformerShape shape) =>
        shape.Width * (pooling is OnnxPooling.SideBySide or OnnxPooling.Interleaved ? 2 : 1);

    /// <summary>What the metadata calls it, as <c>jepa embed --pool</c> does.</summary>
    public static string NameOf(OnnxPooling pooling, VisionTransformerShape shape) => pooling switch
    {
        OnnxPooling.Patches => "none",
        OnnxPooling.ClassTokenUnnormed => "class-unnormed",
        OnnxPooling.SideBySide => "class-mean",
        OnnxPooling.Interleaved => "interleaved",
        _ => TakesMean(pooling, shape) ? "mean" : "class",
    };

    /// <summary>[B, N, D] or [B, N + 1, D], before the final norm -> [B, D], [B, 2 D] or [B, N, D].</summary>
    public string Of(string tokens, OnnxPooling pooling)
    {
        graph.Scope = "pooling/";
        if (pooling == OnnxPooling.ClassTokenUnnormed) return ClassToken(tokens);
        if (shape.AveragesBeforeNorm && pooling is (OnnxPooling.Usual or OnnxPooling.Mean))
        {
            // The average of the patches without the final norm, then a norm without numbers of its own.
            var ones = graph.Table("ones", [.. Enumerable.Repeat(1f, shape.Width)], shape.Width);
            return graph.Do(
                "LayerNormalization", [Mean(Patches(tokens)), ones], ("axis", -1L), ("epsilon", (float)LayerNormalization.Epsilon));
        }

        var normed = encoder.Norm(tokens, "norm");
        if (pooling == OnnxPooling.Patches) return Patches(normed);
        if (pooling == OnnxPooling.SideBySide) return graph.Do("Concat", [ClassToken(normed), Mean(Patches(normed))], ("axis", 1L));
        if (pooling != OnnxPooling.Interleaved) return TakesMean(pooling, shape) ? Mean(Patches(normed)) : ClassToken(normed);
        string Column(string vector) => graph.Do("Unsqueeze", [vector, graph.Whole(2)]);
        var pairs = graph.Do("Concat", [Column(ClassToken(normed)), Column(Mean(Patches(normed)))], ("axis", 2L));
        return graph.Do("Reshape", [pairs, graph.Whole(0, 2L * shape.Width)]);
    }

    /// <summary>softmax((W (x - mean) / scale + b) / T). [B, D] -> [B, K].</summary>
    public string Probabilities(string features, OnnxHead head)
    {
        graph.Scope = "head/";
        var (classes, width) = (head.Bias.Length, head.Weight.Length / head.Bias.Length);
        if (head.Mean is { } mean) features = graph.Do("Sub", [features, graph.Table("head.mean", mean, width)]);
        if (head.Scale is { } scale) features = graph.Do("Div", [features, graph.Table("head.scale", scale, width)]);
        var logits = graph.Do(
            "Gemm", [features, graph.Table("head.weight", head.Weight, classes, width), graph.Table("head.bias", head.Bias, classes)],
            ("transB", 1L));
        if (head.Temperature != 1) logits = graph.Do("Div", [logits, graph.Real((float)head.Temperature)]);
        return graph.Do("Softmax", [logits], ("axis", -1L));
    }

    private static bool TakesMean(OnnxPooling pooling, VisionTransformerShape shape) =>
        pooling == OnnxPooling.Mean || (pooling == OnnxPooling.Usual && (!shape.ClassToken || shape.AveragesBeforeNorm));

    private string ClassToken(string tokens) => graph.Do("Gather", [tokens, graph.WholeScalar(0)], ("axis", 1L));

    private string Patches(string tokens) => shape.ClassToken
        ? graph.Do("Slice", [tokens, graph.Whole(1), graph.Whole(long.MaxValue), graph.Whole(1)])
        : tokens;

    private string Mean(string patches) => graph.Do("ReduceMean", [patches], ("axes", OverPatches), ("keepdims", 0L));
}
