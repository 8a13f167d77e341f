using JepaSharp.Models.Accelerated;
using JepaSharp.Runtime;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>
/// The narrow transformer that predicts the representations of target patches from those of context patches: it sees the context
/// tokens and, for every patch to predict, a shared mask token plus that patch's position (paper, section 3 and figure 3). In the ablation of table 7
/// its last layer ends in the patch's pixels.
/// </summary>
public sealed class Predictor : nn.Module
{
    [ComponentName(Name = "predictor_embed")] private readonly Dense _embed;
    [ComponentName(Name = "mask_token")] private readonly Parameter _maskToken;
    [ComponentName(Name = "predictor_pos_embed")] private readonly Tensor _positions;
    [ComponentName(Name = "predictor_blocks")] private readonly BlockStack _blocks;
    [ComponentName(Name = "predictor_norm")] private readonly LayerNormalization _norm;
    [ComponentName(Name = "predictor_proj")] private readonly Dense _project;

    static Predictor() => NativeLibtorch.Load();

    /// <summary>Builds a predictor whose weights are not yet set: see <see cref="Initialization"/>.</summary>
    /// <param name="shape">Width, depth and heads.</param>
    /// <param name="encoder">The encoder whose representations it reads and predicts.</param>
    /// <param name="device">Where the weights live; the meta device for shapes alone. Null: the CPU.</param>
    /// <exception cref="ArgumentException">A shape is inconsistent.</exception>
    public Predictor(PredictorShape shape, VisionTransformerShape encoder, Device? device = null)
        : base(nameof(Predictor))
    {
        using var outside = NewDisposeScope();
        device ??= CPU;
        Shape = shape.Validated();
        var hidden = 4 * shape.Width; // whatever the encoder's ratio, as published
        _embed = new Dense("predictor_embed", [shape.Width, encoder.Width], device);
        _maskToken = new Parameter(empty([1, 1, shape.Width], float32, device));
        _positions = Positions.Buffer(encoder, shape.Width, device);
        _blocks = new BlockStack(shape.Depth, shape.Width, shape.Heads, hidden, device);
        _norm = new LayerNormalization("predictor_norm", shape.Width, device);
        _project = new Dense("predictor_proj", [shape.Outputs ?? encoder.Width, shape.Width], device);
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>Width, depth, heads and outputs.</summary>
    public PredictorShape Shape { get; }

    internal Parameter MaskToken => _maskToken;

    /// <summary>What puts the tokens together where it can; hung on from outside.</summary>
    internal AcceleratedQueries? QueryKernel { get; set; }

    /// <summary>Predicts every target block from every context block.</summary>
    /// <param name="context">Context representations [Mc B, Kc, D].</param>
    /// <param name="contextPatches">Where they are: Mc sets of Kc patches an image.</param>
    /// <param name="targetPatches">What to predict: Mt sets of Kt patches an image.</param>
    /// <returns>Predictions [Mt Mc B, Kt, D], or [.., C P P] where pixels are predicted: target block outermost, then context block, then
    /// image.</returns>
    public Tensor Predict(Tensor context, PatchSelection contextPatches, PatchSelection targetPatches)
    {
        using var scope = NewDisposeScope();
        return PredictFrom(Embed(context, contextPatches), contextPatches, targetPatches).MoveToOuterDisposeScope();
    }

    /// <summary>Context representations [Mc B, Kc, D] -> the predictor's tokens of them [Mc B, Kc, width], the same whatever is asked.</summary>
    internal Tensor Embed(Tensor context, PatchSelection contextPatches)
    {
        using var scope = NewDisposeScope();
        contextPatches.RequireGridOf(_positions);
        var seen = _embed.ForwardPlus(context, _positions.select(0, 0), contextPatches.Patches)
            ?? _embed.forward(context).Add(
                _positions.select(0, 0).index_select(0, contextPatches.Patches).view(context.shape[0], contextPatches.PatchesPerSet, Shape.Width));
        return seen.MoveToOuterDisposeScope();
    }

    /// <summary>The rest of <see cref="Predict"/>.</summary>
    internal Tensor PredictFrom(Tensor seen, PatchSelection contextPatches, PatchSelection targetPatches)
    {
        using var scope = NewDisposeScope();
        long images = contextPatches.Images, contexts = contextPatches.Sets, targets = targetPatches.Sets;
        long known = contextPatches.PatchesPerSet, asked = targetPatches.PatchesPerSet;
        targetPatches.RequireGridOf(_positions);
        if (seen.shape[0] != contexts * images || seen.shape[1] != known || targetPatches.Images != images)
            throw new ArgumentException(
                $"Contexts of shape [{string.Join(", ", seen.shape)}] for {contexts} x {images} sets of {known} patches, and targets of "
                    + $"{targetPatches.Images} images.", nameof(seen));
        var tokens = QueryKernel is not null && QueryKernel.CanRun(seen) ? QueryKernel.Forward(seen, _positions.select(0, 0), targetPatches) : Tokens(
            seen, contextPatches, targetPatches);
        // Of the context's tokens nobody asks for an output.
        var wanted = Enumerable.Range((int)known, (int)asked).ToArray();
        var predicted = _norm.forward(_blocks.Forward(tokens, [.. Enumerable.Repeat(wanted, (int)(targets * contexts * images))]));
        return _project.forward(predicted).view(targets * contexts * images, asked, -1).MoveToOuterDisposeScope();
    }

    /// <summary>Each context's tokens [Mc B, Kc, width], then those that ask. -> [Mt Mc B, Kc + Kt, width].</summary>
    private Tensor Tokens(Tensor seen, PatchSelection contextPatches, PatchSelection targetPatches)
    {
        using var scope = NewDisposeScope();
        long images = contextPatches.Images, contexts = contextPatches.Sets, targets = targetPatches.Sets;
        long known = contextPatches.PatchesPerSet, asked = targetPatches.PatchesPerSet, width = Shape.Width;
        var queries = _maskToken.Add(_positions.select(0, 0).index_select(0, targetPatches.Patches).view(targets, 1, images, asked, width))
            .expand(targets, contexts, images, asked, width);

        seen = seen.view(1, contexts, images, known, width).expand(targets, contexts, images, known, width);
        return cat([seen, queries], dim: 3).view(targets * contexts * images, known + asked, width).MoveToOuterDisposeScope();
    }
}
