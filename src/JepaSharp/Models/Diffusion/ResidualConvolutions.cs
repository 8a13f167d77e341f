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
    private readonly GroupNormalization _firstNorm, _secondNorm;
    private readonly Convolution _first, _second;
    private readonly Convolution? _skip;
    private readonly LinearHead _embedding;
    private readonly Resize _resize;
    private readonly bool _scales;
    private readonly double _dropout;

    public ResidualConvolutions(DiffusionUNetShape shape, int inputs, int outputs, Resize resize, Device? device)
        : base(nameof(ResidualConvolutions))
    {
        (_resize, _scales, _dropout) = (resize, shape.ScalesAndShifts, shape.Dropout);
        (_firstNorm, _secondNorm) = (new GroupNormalization(inputs, device), new GroupNormalization(outputs, device));
        (_first, _second) = (new Convolution(inputs, outputs, 3, device: device), new Convolution(outputs, outputs, 3, device: device));
        _embedding = new LinearHead(shape.Embedding, _scales ? 2 * outputs : outputs, device);
        register_module("in_layers", new NamedParts(("0", _firstNorm), ("2", _first)));
        register_module("emb_layers", new NamedParts(("1", _embedding)));
        register_module("out_layers", new NamedParts(("0", _secondNorm), ("3", _second)));
        if (inputs == outputs) return;
        _skip = new Convolution(inputs, outputs, 1, device: device);
        register_module("skip_connection", _skip);
    }

    public Tensor Forward(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        var h = _first.forward(Sides.Resized(nn.functional.silu(_firstNorm.forward(x)), _resize));
        var told = _embedding.forward(nn.functional.silu(embedding)).unsqueeze(-1).unsqueeze(-1);
        if (_scales)
        {
            // norm(h) (1 + scale) + shift
            var (scale, shift) = (told.chunk(2, 1)[0], told.chunk(2, 1)[1]);
            var normed = _secondNorm.forward(h);
            h = normed.Add(normed.mul(scale)).Add(shift);
        }
        else
        {
            h = _secondNorm.forward(h.Add(told));
        }

        h = nn.functional.silu(h);
        if (_dropout > 0 && training) h = nn.functional.dropout(h, _dropout);
        h = _second.forward(h);
        var kept = Sides.Resized(x, _resize);
        return (_skip is null ? kept : _skip.forward(kept)).Add(h).MoveToOuterDisposeScope();
    }
}

/// <summary>A convolution that halves the side, or doubles it first: where residual blocks do not. [B, C, H, W] -> [B, C, H', W'].</summary>
internal sealed class ResizingConvolution : nn.Module
{
    private readonly Convolution _convolution;
    private readonly bool _doubles;

    public ResizingConvolution(int channels, Resize resize, Device? device)
        : base(nameof(ResizingConvolution))
    {
        _doubles = resize == Resize.Double;
        _convolution = new Convolution(channels, channels, 3, _doubles ? 1 : 2, device);
        register_module(_doubles ? "conv" : "op", _convolution);
    }

    public Tensor Forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _convolution.forward(_doubles ? Sides.Resized(x, Resize.Double) : x).MoveToOuterDisposeScope();
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
