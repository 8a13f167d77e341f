using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Multi-head self-attention, softmax(q kᵀ / √d) v, with one projection for q, k and v. [B, N, D] -> [B, N, D].</summary>
internal sealed class Attention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "qkv")] private readonly Dense _queryKeyValue;
    [ComponentName(Name = "proj")] private readonly Dense _projection;
    private readonly int _heads;

    public Attention(string name, int width, int heads, Device? device)
        : base(name)
    {
        _heads = heads;
        _queryKeyValue = new Dense("qkv", [3L * width, width], device);
        _projection = new Dense("proj", [width, width], device);
        RegisterComponents();
    }

    public Dense QueryKeyValue => _queryKeyValue;

    public Dense Projection => _projection;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        long batch = x.shape[0], tokens = x.shape[1], width = x.shape[2], head = width / _heads;
        var qkv = _queryKeyValue.forward(x).view(batch, tokens, 3, _heads, head).permute(2, 0, 3, 1, 4);
        var attended = AttentionKernel.Attend(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2));
        return _projection.forward(attended.transpose(1, 2).reshape(batch, tokens, width)).MoveToOuterDisposeScope();
    }
}
