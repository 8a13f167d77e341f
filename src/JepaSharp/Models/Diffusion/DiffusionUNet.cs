using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models.Diffusion;

/// <summary>The network that takes noise out of an image, told the step of the noise and a representation of what the image shows.</summary>
/// <remarks>
/// Dhariwal and Nichol, 2021 ("ADM"), with RCDM's one linear layer of conditioning (Bordes et al., 2022): the representation's embedding is added to
/// the step's, which every residual block is told. State-dict names and shapes are the published code's, so that its weights load as they are.
/// Deviation: RCDM's paper has conditional batch norms instead; its published code and weights have this. Always float32. Legend: B images, S pixels
/// a side, D numbers of a representation, E of the embedding.
/// </remarks>
public sealed class DiffusionUNet : nn.Module
{
    private const double LongestPeriod = 10000;

    // Not fields each: those would be registered under their own names beside the published ones.
    private readonly (LinearHead FirstTime, LinearHead SecondTime, LinearHead Condition) _told;
    private readonly (Convolution Entrance, UNetStage Middle, GroupNormalization ExitNorm, Convolution Exit) _parts;
    private readonly List<UNetStage> _down = [], _up = [];

    static DiffusionUNet() => NativeLibtorch.Load();

    /// <summary>Builds a network whose weights are not yet set: see <see cref="Initialize"/>.</summary>
    /// <param name="shape">Names and shapes of the weights.</param>
    /// <param name="device">Where the weights live; the meta device for shapes alone. Null: the CPU.</param>
    /// <exception cref="ArgumentException">The shape is inconsistent.</exception>
    public DiffusionUNet(DiffusionUNetShape shape, Device? device = null)
        : base(nameof(DiffusionUNet))
    {
        ArgumentNullException.ThrowIfNull(shape);
        using var outside = NewDisposeScope();
        Shape = shape.Validated();
        _told = (
            new LinearHead(shape.Channels, shape.Embedding, device), new LinearHead(shape.Embedding, shape.Embedding, device),
            new LinearHead(shape.Condition, shape.Embedding, device));
        var width = shape.Multipliers[0] * shape.Channels;
        List<int> kept = [width];
        var channels = width;
        for (var (level, side) = (0, shape.ImageSize); level < shape.Multipliers.Count; level++)
        {
            var wide = shape.Multipliers[level] * shape.Channels;
            for (var block = 0; block < shape.Blocks; block++, channels = wide)
            {
                _down.Add(new UNetStage(shape, device).Block(channels, wide).AttendIf(shape.AttendsAt(side), wide));
                kept.Add(wide);
            }

            if (level == shape.Multipliers.Count - 1) break;
            _down.Add(new UNetStage(shape, device).Resizing(channels, Resize.Halve));
            kept.Add(channels);
            side /= 2;
        }

        _parts = (
            new Convolution(3, width, 3, device: device),
            new UNetStage(shape, device).Block(channels, channels).AttendIf(true, channels).Block(channels, channels),
            new GroupNormalization(width, device), new Convolution(width, shape.Outputs, 3, device: device));
        for (var level = shape.Multipliers.Count - 1; level >= 0; level--)
        {
            var (wide, side) = (shape.Multipliers[level] * shape.Channels, shape.ImageSize >> level);
            for (var block = 0; block <= shape.Blocks; block++, channels = wide)
            {
                var stage = new UNetStage(shape, device).Block(channels + kept[^1], wide).AttendIf(shape.AttendsAt(side), wide);
                kept.RemoveAt(kept.Count - 1);
                if (level > 0 && block == shape.Blocks) stage.Resizing(wide, Resize.Double);
                _up.Add(stage);
            }
        }

        Register();
        Positions.Detach(this, outside);
    }

    /// <summary>Names and shapes of the weights.</summary>
    public DiffusionUNetShape Shape { get; }

    /// <summary>How many numbers it learns.</summary>
    public long ParameterCount => parameters().Sum(p => p.numel());

    /// <summary>What the network says of noisy images: their noise, or what they were without it, and three channels of variance where it learns
    /// them. [B, 3, S, S] -> [B, <see cref="DiffusionUNetShape.Outputs"/>, S, S].</summary>
    /// <param name="images">x_t: float32 [B, 3, S, S], about -1 to 1.</param>
    /// <param name="steps">t: float32 [B], the steps' original numbers.</param>
    /// <param name="condition">float32 [B, D]; null for none: nothing is added then, which is not what zeros would add.</param>
    /// <exception cref="ArgumentException">The images are of another size, or the representation of another width.</exception>
    public Tensor Forward(Tensor images, Tensor steps, Tensor? condition)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.shape is not [_, 3, var height, var wide] || height != Shape.ImageSize || wide != Shape.ImageSize)
            throw new ArgumentException(
                $"Images of shape [{string.Join(", ", images.shape)}] for a decoder of [B, 3, {Shape.ImageSize}, {Shape.ImageSize}].",
                nameof(images));
        using var scope = NewDisposeScope();
        var embedding = Embed(steps, condition);
        // Training's views have their channels last; libtorch's convolutions and norms would keep that, at twice the cost on a CPU.
        var h = _parts.Entrance.forward(images.contiguous());
        var kept = new Stack<Tensor>([h]);
        foreach (var stage in _down) kept.Push(h = stage.Forward(h, embedding));
        h = _parts.Middle.Forward(h, embedding);
        foreach (var stage in _up) h = stage.Forward(cat([h, kept.Pop()], 1), embedding);
        return _parts.Exit.forward(nn.functional.silu(_parts.ExitNorm.forward(h))).MoveToOuterDisposeScope();
    }

    /// <summary>Step and representation as the residual blocks are told them. -> float32 [B, E].</summary>
    /// <param name="steps">t: float32 [B].</param>
    /// <param name="condition">float32 [B, D]; null for none.</param>
    public Tensor Embed(Tensor steps, Tensor? condition)
    {
        if (condition is not null && (condition.dim() != 2 || condition.shape[1] != Shape.Condition))
            throw new ArgumentException(
                $"A representation of shape [{string.Join(", ", condition.shape)}] for a decoder of [B, {Shape.Condition}].", nameof(condition));
        using var scope = NewDisposeScope();
        var embedding = _told.SecondTime.forward(nn.functional.silu(_told.FirstTime.forward(EmbedSteps(steps))));
        return (condition is null ? embedding : embedding.Add(_told.Condition.forward(condition))).MoveToOuterDisposeScope();
    }

    /// <summary>[cos of all, sin of all] of t times frequencies that fall from 1 to 1/10000. [B] -> float32 [B, C].</summary>
    /// <param name="steps">t: float32 [B].</param>
    public Tensor EmbedSteps(Tensor steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        using var scope = NewDisposeScope();
        // Exponents in float32, as published: times a step of hundreds, a last digit shows.
        var half = Shape.Channels / 2;
        float[] frequencies = [.. Enumerable.Range(0, half).Select(i => (float)Math.Exp((float)((float)-Math.Log(LongestPeriod) * i) / half))];
        var angles = steps.to(float32).unsqueeze(1).mul(tensor(frequencies, device: steps.device).unsqueeze(0));
        return cat([angles.cos(), angles.sin()], 1).MoveToOuterDisposeScope();
    }

    /// <summary>Initial weights: uniform in ±1/√(numbers that a sum has), norms 1 and 0, and 0 for the last layer of every branch and of the
    /// network, weight and bias.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">Tells networks of one run apart.</param>
    public void Initialize(ulong seed, int stream)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var all = named_parameters().ToDictionary(p => p.name, p => p.parameter);
        var index = 0;
        foreach (var (name, parameter) in all)
        {
            var key = new RandomStream(seed, RandomPurpose.Initialization, stream, index++).NextUInt64();
            var matrix = all[name[..name.LastIndexOf('.')] + ".weight"];
            if (EndsABranch(name)) _ = parameter.zero_();
            else if (matrix.dim() > 1) Initialization.Uniform_(parameter, 1 / Math.Sqrt(matrix.numel() / (double)matrix.shape[0]), key);
            else _ = parameter.Fill_(name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0);
        }
    }

    private static bool EndsABranch(string name) => name.Contains(".out_layers.3.", StringComparison.Ordinal)
        || name.Contains(".proj_out.", StringComparison.Ordinal) || name.StartsWith("out.2.", StringComparison.Ordinal);

    private void Register()
    {
        register_module("time_embed", new NamedParts(("0", _told.FirstTime), ("2", _told.SecondTime)));
        register_module("ssl_emb", _told.Condition);
        register_module(
            "input_blocks",
            new NamedParts([("0", new NamedParts(("0", _parts.Entrance))), .. _down.Select((s, i) => ($"{i + 1}", (nn.Module)s))]));
        register_module("middle_block", _parts.Middle);
        register_module("output_blocks", new NamedParts(_up.Select((s, i) => ($"{i}", (nn.Module)s))));
        register_module("out", new NamedParts(("0", _parts.ExitNorm), ("2", _parts.Exit)));
    }
}
