using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Models.Diffusion;

/// <summary>What a residual block does to the side of what it is given.</summary>
internal enum Resize
{
    None,
    Halve,
    Double,
}

/// <summary>Two convolutions around which what goes in is added, told step and representation by an embedding (Dhariwal and Nichol, 2021, appendix
/// C). [B, in, H, W], [B, E] -> [B, out, H', W'].</summary>
internal sealed class ResidualConvolutions : nn.Module
{
    // Not fields each: those would be registered under their own names beside the published ones.
    private readonly (GroupNormalization FirstNorm, Convolution First, LinearHead Embedding, GroupNormalization SecondNorm, Convolution Second,
        Convolution? Skip) _parts;

    private readonly Resize _resize;
    private readonly bool _scales;
    private readonly double _dropout;

    public ResidualConvolutions(DiffusionUNetShape shape, int inputs, int outputs, Resize resize, Device? device)
        : base(nameof(ResidualConvolutions))
    {
        (_resize, _scales, _dropout) = (resize, shape.ScalesAndShifts, shape.Dropout);
        _parts = (
            new GroupNormalization(inputs, device), new Convolution(inputs, outputs, 3, device: device),
            new LinearHead(shape.Embedding, _scales ? 2 * outputs : outputs, device), new GroupNormalization(outputs, device),
            new Convolution(outputs, outputs, 3, device: device), inputs == outputs ? null : new Convolution(inputs, outputs, 1, device: device));
        register_module("in_layers", new NamedParts(("0", _parts.FirstNorm), ("2", _parts.First)));
        register_module("emb_layers", new NamedParts(("1", _parts.Embedding)));
        register_module("out_layers", new NamedParts(("0", _parts.SecondNorm), ("3", _parts.Second)));
        if (_parts.Skip is not null) register_module("skip_connection", _parts.Skip);
    }

    public Tensor Forward(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        var h = _parts.First.forward(Sides.Resized(nn.functional.silu(_parts.FirstNorm.forward(x)), _resize));
        var told = _parts.Embedding.forward(nn.functional.silu(embedding)).unsqueeze(-1).unsqueeze(-1);
        if (_scales)
        {
            // norm(h) (1 + scale) + shift
            var (scale, shift) = (told.chunk(2, 1)[0], told.chunk(2, 1)[1]);
            var normed = _parts.SecondNorm.forward(h);
            h = normed.Add(normed.mul(scale)).Add(shift);
        }
        else
        {
            h = _parts.SecondNorm.forward(h.Add(told));
        }

        h = nn.functional.silu(h);
        if (_dropout > 0 && training) h = nn.functional.dropout(h, _dropout);
        h = _parts.Second.forward(h);
        var kept = Sides.Resized(x, _resize);
        return (_parts.Skip is null ? kept : _parts.Skip.forward(kept)).Add(h).MoveToOuterDisposeScope();
    }
}

/// <summary>A convolution that halves the side, or doubles it first: where residual blocks do not. [B, C, H, W] -> [B, C, H', W'].</summary>
internal sealed class ResizingConvolution : nn.Module
{
    private readonly (Convolution Convolution, bool Doubles) _parts;

    public ResizingConvolution(int channels, Resize resize, Device? device)
        : base(nameof(ResizingConvolution))
    {
        var doubles = resize == Resize.Double;
        _parts = (new Convolution(channels, channels, 3, doubles ? 1 : 2, device), doubles);
        register_module(doubles ? "conv" : "op", _parts.Convolution);
    }

    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _parts.Convolution.forward(_parts.Doubles ? Sides.Resized(x, Resize.Double) : x).MoveToOuterDisposeScope();
    }
}

/// <summary>Sides without weights.</summary>
internal static class Sides
{
    /// <summary>Half by the mean of 2x2 places, double by repeating each.</summary>
    public static Tensor Resized(Tensor x, Resize resize) => resize switch
    {
        Resize.Halve => nn.functional.avg_pool2d(x, 2L),
        Resize.Double => nn.functional.interpolate(x, size: [2 * x.shape[2], 2 * x.shape[3]], mode: InterpolationMode.Nearest),
        _ => x,
    };
}
