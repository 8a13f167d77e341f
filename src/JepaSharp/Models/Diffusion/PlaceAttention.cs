using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models.Diffusion;

/// <summary>Attention between all places of an image, added to what goes in. [B, C, H, W] -> [B, C, H, W].</summary>
/// <remarks>The 3 C channels of queries, keys and values lie head by head, or all queries first (Dhariwal and Nichol's two published orders). The
/// scores' scale is given to queries and keys alike, c^-¼ each, c the channels of a head.</remarks>
internal sealed class PlaceAttention : nn.Module
{
    private readonly (GroupNormalization Norm, PlaceProduct Queries, PlaceProduct Project) _parts;
    private readonly int _heads;
    private readonly bool _separate;

    public PlaceAttention(DiffusionUNetShape shape, int channels, Device? device)
        : base(nameof(PlaceAttention))
    {
        (_heads, _separate) = (shape.HeadsOf(channels), shape.SeparatesQueries);
        _parts = (
            new GroupNormalization(channels, device), new PlaceProduct(channels, 3 * channels, device),
            new PlaceProduct(channels, channels, device));
        register_module("norm", _parts.Norm);
        register_module("qkv", _parts.Queries);
        register_module("proj_out", _parts.Project);
    }

    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        long images = x.shape[0], channels = x.shape[1], places = x.shape[2] * x.shape[3], width = channels / _heads;
        var flat = x.reshape(images, channels, places);
        var all = _parts.Queries.forward(_parts.Norm.forward(flat));
        var parts = _separate
            ? [.. all.chunk(3, 1).Select(p => p.reshape(images * _heads, width, places))]
            : all.reshape(images * _heads, 3 * width, places).chunk(3, 1);
        var scale = Math.Pow(width, -0.25);
        var (q, k, v) = (parts[0].Multiply(scale).transpose(1, 2), parts[1].Multiply(scale), parts[2]);
        ProductTrace.Add(q, k, places);
        var weights = nn.functional.softmax(q.bmm(k), -1);
        ProductTrace.Add(v, weights, places);
        var attended = v.bmm(weights.transpose(1, 2)).reshape(images, channels, places);
        return flat.Add(_parts.Project.forward(attended)).view(x.shape).MoveToOuterDisposeScope();
    }
}
