using JepaSharp.Kernels;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Multi-head self-attention, softmax(q kᵀ / √d + b) v, with one projection for q, k and v. [B, N, D] -> [B, N, D].</summary>
internal sealed class Attention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "q_bias")] private readonly Parameter? _queryBias;
    [ComponentName(Name = "v_bias")] private readonly Parameter? _valueBias;
    [ComponentName(Name = "qkv")] private readonly Dense _queryKeyValue;
    [ComponentName(Name = "proj")] private readonly Dense _projection;
    private readonly int _heads;

    public Attention(string name, int width, int heads, Device? device, bool keyBias = true)
        : base(name)
    {
        _heads = heads;
        if (!keyBias)
        {
            _queryBias = new Parameter(empty([width], float32, device));
            _valueBias = new Parameter(empty([width], float32, device));
        }

        _queryKeyValue = new Dense("qkv", [3L * width, width], device, bias: keyBias);
        _projection = new Dense("proj", [width, width], device);
        RegisterComponents();
    }

    public Dense Projection => _projection;

    /// <summary>Where the parameters of q, k and v lie, for the CPU kernels.</summary>
    public DenseMemory QueryKeyValue(ParameterHandles handles) =>
        _queryBias is null ? handles.Of(_queryKeyValue) : handles.WithoutKeyBias(_queryKeyValue, _queryBias, _valueBias!);

    public override Tensor forward(Tensor x) => Forward(x, bias: null);

    /// <summary>The same with numbers that are added to the scores.</summary>
    /// <param name="x">[B, N, D].</param>
    /// <param name="bias">float32 [A, N, N]; null for none.</param>
    public Tensor Forward(Tensor x, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        long batch = x.shape[0], tokens = x.shape[1], width = x.shape[2], head = width / _heads;
        var all = _queryKeyValue.forward(x);
        if (_queryBias is not null) all = all.Add(cat([_queryBias, zeros_like(_queryBias), _valueBias!]).to(all.dtype));
        var qkv = all.view(batch, tokens, 3, _heads, head).permute(2, 0, 3, 1, 4);
        var attended = AttentionKernel.Attend(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2), bias);
        return _projection.forward(attended.transpose(1, 2).reshape(batch, tokens, width)).MoveToOuterDisposeScope();
    }
}
