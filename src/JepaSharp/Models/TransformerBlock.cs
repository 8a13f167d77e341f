using JepaSharp.Kernels;
using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp.Modules;
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

/// <summary>What blocks have beside the usual parts, or lack.</summary>
/// <param name="LayerScale">Each branch is multiplied by a learned number for each dimension: <c>gamma_1</c>, <c>gamma_2</c>.</param>
/// <param name="KeyBias">Keys have a bias, as queries and values have.</param>
public sealed record BlockParts(bool LayerScale = false, bool KeyBias = true);

/// <summary>Pre-norm transformer block: attention, then MLP, each added to its input. [B, N, D] -> [B, N, D].</summary>
/// <remarks>
/// Dosovitskiy et al., 2021, equations 2 and 3; with layer scale, x + γ₁ attention(norm₁(x)) and x + γ₂ MLP(norm₂(x)) (Touvron et al., 2021,
/// equation 4). The sum that runs through the blocks stays in float32 in mixed precision, as under autocast.
/// </remarks>
public sealed class TransformerBlock : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gamma_1")] private readonly Parameter? _attentionScale;
    [ComponentName(Name = "gamma_2")] private readonly Parameter? _mlpScale;
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
    /// <param name="parts">What it has beside the usual, or lacks; null for the usual.</param>
    public TransformerBlock(string name, int width, int heads, int hidden, Device? device = null, BlockParts? parts = null)
        : base(name)
    {
        parts ??= new BlockParts();
        if (parts.LayerScale)
        {
            _attentionScale = new Parameter(empty([width], float32, device));
            _mlpScale = new Parameter(empty([width], float32, device));
        }

        _attentionNorm = new LayerNormalization("norm1", width, device);
        _attention = new Attention("attn", width, heads, device, parts.KeyBias);
        _mlpNorm = new LayerNormalization("norm2", width, device);
        _mlp = new Mlp("mlp", width, hidden, device);
        RegisterComponents();
    }

    /// <summary>Where the parameters lie, for the CPU kernels.</summary>
    internal BlockMemory Memory(ParameterHandles handles) => new(
        handles.Of(_attentionNorm), _attention.QueryKeyValue(handles), handles.Of(_attention.Projection, _attentionScale),
        handles.Of(_mlpNorm), handles.Of(_mlp.Expand), handles.Of(_mlp.Contract, _mlpScale));

    /// <inheritdoc/>
    public override Tensor forward(Tensor tokens) => Through(tokens, bias: null);

    /// <summary>The same with what only some networks have. [S, N, D] -> [S, N, D].</summary>
    /// <param name="tokens">[S, N, D].</param>
    /// <param name="bias">Added to the scores of attention, float32 [A, N, N]; null for nothing.</param>
    /// <param name="factors">What each sequence's branches are multiplied by, float32 [2, S, 1, 1]: attention's, the MLP's (see
    /// <see cref="StochasticDepth"/>); null for 1.</param>
    internal Tensor Through(Tensor tokens, Tensor? bias, Tensor? factors = null)
    {
        using var scope = NewDisposeScope();
        var attended = Plus(tokens, AttentionBranch(tokens, bias), factors?.select(0, 0));
        return Plus(attended, MlpBranch(attended), factors?.select(0, 1)).MoveToOuterDisposeScope();
    }

    /// <summary>What the block adds by attention. [S, N, D] -> [S, N, D].</summary>
    internal Tensor AttentionBranch(Tensor tokens, Tensor? bias) => Scaled(_attention.Forward(_attentionNorm.forward(tokens), bias), _attentionScale);

    /// <summary>What the block adds by its MLP. [S, N, D] -> [S, N, D].</summary>
    internal Tensor MlpBranch(Tensor attended) => Scaled(_mlp.forward(_mlpNorm.forward(attended)), _mlpScale);

    private static Tensor Scaled(Tensor branch, Parameter? scale) => scale is null ? branch : branch.mul(scale);

    private static Tensor Plus(Tensor tokens, Tensor branch, Tensor? factors) =>
        factors is null ? tokens.Add(branch) : tokens.AddProduct(branch.to(float32), factors);
}
