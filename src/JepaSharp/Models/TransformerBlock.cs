using JepaSharp.Kernels;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Two-layer perceptron with an exact GELU between. [..., D] -> [..., D].</summary>
public sealed class Mlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "fc1")] private readonly Dense _expand;
    [ComponentName(Name = "fc2")] private readonly Dense _contract;

    /// <summary>Builds a perceptron whose weights are not yet set: see <see cref="Initialization"/>.</summary>
    /// <param name="name">Name shown by the module tree.</param>
    /// <param name="width">D.</param>
    /// <param name="hidden">Width of the hidden layer.</param>
    /// <param name="device">Where the parameters live; meta for shapes alone. Null: the CPU.</param>
    public Mlp(string name, int width, int hidden, Device? device = null)
        : base(name)
    {
        _expand = new Dense("fc1", [hidden, width], device);
        _contract = new Dense("fc2", [width, hidden], device);
        RegisterComponents();
    }

    internal Dense Expand => _expand;

    internal Dense Contract => _contract;

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _contract.forward(nn.functional.gelu(_expand.forward(x))).MoveToOuterDisposeScope();
    }
}

/// <summary>Pre-norm transformer block: attention, then MLP, each added to its input. [B, N, D] -> [B, N, D].</summary>
/// <remarks>
/// Dosovitskiy et al., 2021, equations 2 and 3. The sum that runs through the blocks stays in float32 in mixed precision, as
/// under autocast.
/// </remarks>
public sealed class TransformerBlock : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "norm1")] private readonly LayerNormalization _attentionNorm;
    [ComponentName(Name = "attn")] private readonly Attention _attention;
    [ComponentName(Name = "norm2")] private readonly LayerNormalization _mlpNorm;
    [ComponentName(Name = "mlp")] private readonly Mlp _mlp;

    /// <summary>Builds a block whose weights are not yet set: see <see cref="Initialization"/>.</summary>
    /// <param name="name">Name shown by the module tree.</param>
    /// <param name="width">D.</param>
    /// <param name="heads">A: attention heads, each D/A wide.</param>
    /// <param name="hidden">Width of the MLP's hidden layer.</param>
    /// <param name="device">Where the parameters live; meta for shapes alone. Null: the CPU.</param>
    public TransformerBlock(string name, int width, int heads, int hidden, Device? device = null)
        : base(name)
    {
        _attentionNorm = new LayerNormalization("norm1", width, device);
        _attention = new Attention("attn", width, heads, device);
        _mlpNorm = new LayerNormalization("norm2", width, device);
        _mlp = new Mlp("mlp", width, hidden, device);
        RegisterComponents();
    }

    /// <summary>Where the parameters lie, for the CPU kernels.</summary>
    internal BlockMemory Memory(ParameterHandles handles) => new(
        handles.Of(_attentionNorm), handles.Of(_attention.QueryKeyValue), handles.Of(_attention.Projection),
        handles.Of(_mlpNorm), handles.Of(_mlp.Expand), handles.Of(_mlp.Contract));

    /// <inheritdoc/>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var attended = tokens.Add(_attention.forward(_attentionNorm.forward(tokens)));
        return attended.Add(_mlp.forward(_mlpNorm.forward(attended))).MoveToOuterDisposeScope();
    }

    /// <summary>The same with each sequence's branches multiplied by factors: see <see cref="StochasticDepth"/>. [S, N, D] -> [S, N, D].</summary>
    /// <param name="tokens">[S, N, D].</param>
    /// <param name="factors">float32 [2, S, 1, 1]: of attention, of the MLP.</param>
    internal Tensor Forward(Tensor tokens, Tensor factors)
    {
        using var scope = NewDisposeScope();
        var attended = tokens.AddProduct(_attention.forward(_attentionNorm.forward(tokens)).to(float32), factors.select(0, 0));
        return attended.AddProduct(_mlp.forward(_mlpNorm.forward(attended)).to(float32), factors.select(0, 1)).MoveToOuterDisposeScope();
    }
}
