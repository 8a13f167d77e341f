using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Weights.Onnx;

/// <summary>An encoder's computation in ONNX's operators: what <see cref="VisionTransformer"/> computes, step by step.</summary>
/// <remarks>Letters as in <see cref="VisionTransformerShape"/>. Sizes of the batch, and where wanted of the images, are those of the input.</remarks>
internal sealed class OnnxEncoder
{
    private readonly OnnxGraph _graph;
    private readonly VisionTransformerShape _shape;
    private readonly Dictionary<string, Tensor> _weights;

    /// <summary>A writer of one encoder's steps.</summary>
    /// <param name="encoder">On the CPU; must outlive the writing of the file, which reads its weights.</param>
    /// <param name="graph">Where the steps go.</param>
    public OnnxEncoder(VisionTransformer encoder, OnnxGraph graph) => (_graph, _shape, _weights) = (graph, encoder.Shape, encoder.state_dict());

    /// <summary>What runs through the last block, without the final norm. [B, C, H, W] -> [B, N, D] or [B, N + 1, D].</summary>
    /// <param name="pixels">Normalised.</param>
    /// <param name="height">H; null for that of the input.</param>
    /// <param name="width">W; null for that of the input.</param>
    public string Blocks(string pixels, int? height, int? width)
    {
        var bias = _shape.RelativePositions ? RelativeBias(height!.Value, width!.Value) : null;
        var tokens = Tokens(pixels, height, width);
        for (var i = 0; i < _shape.Depth; i++)
        {
            _graph.Scope = $"blocks.{i}/";
            tokens = Plus(tokens, Scaled(Attention($"blocks.{i}.attn", Norm(tokens, $"blocks.{i}.norm1"), bias), $"blocks.{i}.gamma_1"));
            tokens = Plus(tokens, Scaled(Mlp($"blocks.{i}.mlp", Norm(tokens, $"blocks.{i}.norm2")), $"blocks.{i}.gamma_2"));
        }

        _graph.Scope = "";
        return tokens;
    }

    /// <summary>Layer norm with an encoder's scale and shift.</summary>
    public string Norm(string tokens, string name) => _graph.Do(
        "LayerNormalization", [tokens, Weight($"{name}.weight"), Weight($"{name}.bias")], ("axis", -1L),
        ("epsilon", (float)LayerNormalization.Epsilon));

    private string Tokens(string pixels, int? height, int? width)
    {
        _graph.Scope = "patch_embed/";
        long patch = _shape.PatchSize;
        var map = _graph.Do(
            "Conv", [pixels, Weight("patch_embed.proj.weight"), Weight("patch_embed.proj.bias")],
            ("kernel_shape", new[] { patch, patch }), ("strides", new[] { patch, patch }));
        var tokens = _graph.Do("Transpose", [_graph.Do("Reshape", [map, _graph.Whole(0, 0, -1)])], ("perm", new[] { 0L, 2, 1 }));
        _graph.Scope = "positions/";
        if (_shape.AbsolutePositions)
        {
            var positions = height is { } h && width is { } w ? FixedPositions(h, w) : new OnnxPositions(_graph, _shape).For(map, PatchPositions());
            tokens = Plus(tokens, positions);
        }

        if (!_shape.ClassToken) return tokens;
        _graph.Scope = "cls_token/";
        var batch = _graph.Do("Slice", [_graph.Do("Shape", [tokens]), _graph.Whole(0), _graph.Whole(1)]);
        var one = _graph.Do("Concat", [batch, _graph.Whole(1, _shape.Width)], ("axis", 0L));
        return _graph.Do("Concat", [_graph.Do("Expand", [ClassToken(), one]), tokens], ("axis", 1L));
    }

    private string Attention(string name, string x, string? bias)
    {
        long head = _shape.Width / _shape.Heads;
        var all = _graph.Do("MatMul", [x, Transposed($"{name}.qkv.weight")]);
        all = Plus(all, _shape.KeyBias ? Weight($"{name}.qkv.bias") : BiasWithoutKeys(name));
        var parts = _graph.Several("Split", 3, [all, _graph.Whole(_shape.Width, _shape.Width, _shape.Width)], ("axis", 2L));
        string Heads(int part, params long[] order) => _graph.Do(
            "Transpose", [_graph.Do("Reshape", [parts[part], _graph.Whole(0, 0, _shape.Heads, head)])], ("perm", order));
        var queries = _graph.Do("Mul", [Heads(0, 0, 2, 1, 3), _graph.Real((float)(1 / Math.Sqrt(head)))]);
        var scores = _graph.Do("MatMul", [queries, Heads(1, 0, 2, 3, 1)]);
        var shares = _graph.Do("Softmax", [bias is null ? scores : Plus(scores, bias)], ("axis", -1L));
        var attended = _graph.Do("Transpose", [_graph.Do("MatMul", [shares, Heads(2, 0, 2, 1, 3)])], ("perm", new[] { 0L, 2, 1, 3 }));
        return Dense($"{name}.proj", _graph.Do("Reshape", [attended, _graph.Whole(0, 0, _shape.Width)]));
    }

    /// <summary>GELU(x) = x (1 + erf(x / √2)) / 2.</summary>
    private string Mlp(string name, string x)
    {
        var hidden = Dense($"{name}.fc1", x);
        var error = _graph.Do("Erf", [_graph.Do("Div", [hidden, _graph.Real((float)Math.Sqrt(2))])]);
        var twice = _graph.Do("Mul", [hidden, Plus(error, _graph.Real(1))]);
        return Dense($"{name}.fc2", _graph.Do("Mul", [twice, _graph.Real(0.5f)]));
    }

    private string Dense(string name, string x) => Plus(_graph.Do("MatMul", [x, Transposed($"{name}.weight")]), Weight($"{name}.bias"));

    private string Scaled(string branch, string name) => _shape.LayerScale ? _graph.Do("Mul", [branch, Weight(name)]) : branch;

    private string Plus(string a, string b) => _graph.Do("Add", [a, b]);

    private string FixedPositions(int height, int width) => Made("pos_embed", () =>
    {
        var table = PositionTable.Resize(_weights["pos_embed"], _shape, height / _shape.PatchSize, width / _shape.PatchSize);
        return _shape.ClassToken ? table.narrow(1, 1, table.shape[1] - 1) : table;
    }, 1, (height / _shape.PatchSize) * (width / _shape.PatchSize), _shape.Width);

    /// <summary>The table of the training's grid, laid out for resizing: [h, w D].</summary>
    private string PatchPositions() => Made(
        "pos_embed", () => _weights["pos_embed"].narrow(1, _shape.ClassToken ? 1 : 0, _shape.Patches), _shape.GridHeight,
        (long)_shape.GridWidth * _shape.Width);

    private string ClassToken() => Made("cls_token", () =>
    {
        var token = _weights["cls_token"];
        return _shape.AbsolutePositions ? token.Add(_weights["pos_embed"].narrow(1, 0, 1)) : token.alias();
    }, 1, 1, _shape.Width);

    private string BiasWithoutKeys(string name) => Made(
        $"{name}.qkv.bias", () => cat([_weights[$"{name}.q_bias"], zeros_like(_weights[$"{name}.q_bias"]), _weights[$"{name}.v_bias"]]),
        3L * _shape.Width);

    /// <summary>What is added to the scores, [A, N + 1, N + 1].</summary>
    private string RelativeBias(int height, int width)
    {
        var (rows, columns) = (height / _shape.PatchSize, width / _shape.PatchSize);
        var tokens = ((long)rows * columns) + 1;
        return Made("relative_position_bias", () =>
        {
            var table = RelativeTableResizing.Resize(_weights[StateLayout.RelativeTable], (_shape.GridHeight, _shape.GridWidth), (rows, columns));
            return table.index_select(0, tensor(RelativePositionBias.PlacesOf(rows, columns))).view(tokens, tokens, -1).permute(2, 0, 1);
        }, _shape.Heads, tokens, tokens);
    }

    /// <summary>A weight as it is.</summary>
    private string Weight(string name) => Made(name, () => _weights[name].alias(), _weights[name].shape);

    /// <summary>A matrix [out, in] as [in, out].</summary>
    private string Transposed(string name) => Made(name, () => _weights[name].t(), _weights[name].shape[1], _weights[name].shape[0]);

    /// <summary>A constant that is computed when the file is written.</summary>
    private string Made(string name, Func<Tensor> make, params long[] shape) => _graph.Constant(new OnnxConstant(name, OnnxType.Float32, shape, () =>
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var bytes = new byte[shape.Aggregate(1L, (product, size) => product * size) * sizeof(float)];
        LazyTensor.Of(make().to(float32)).CopyTo(bytes);
        return bytes;
    }));
}
