using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models.Diffusion;

/// <summary>A convolution that keeps the side or halves it, in float32. [B, in, H, W] -> [B, out, H', W'].</summary>
internal sealed class Convolution : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    private readonly long[] _strides, _padding;

    /// <param name="inputs">Channels that go in.</param>
    /// <param name="outputs">Channels that come out.</param>
    /// <param name="side">Side of the kernel: 1 or 3.</param>
    /// <param name="stride">2 halves the side.</param>
    /// <param name="device">Where the weights live; null for the CPU.</param>
    public Convolution(int inputs, int outputs, int side, int stride = 1, Device? device = null)
        : base(nameof(Convolution))
    {
        _weight = new Parameter(empty([outputs, inputs, side, side], float32, device ?? CPU));
        _bias = new Parameter(empty([outputs], float32, device ?? CPU));
        (_strides, _padding) = ([stride, stride], [side / 2, side / 2]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var y = nn.functional.conv2d(x, _weight, _bias, _strides, _padding);
        ProductTrace.AddPlaces(x, _weight, y.numel() / _weight.shape[0]);
        return y;
    }
}

/// <summary>A product at each place alone: a convolution of one place. [B, in, N] -> [B, out, N].</summary>
internal sealed class PlaceProduct : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;

    public PlaceProduct(int inputs, int outputs, Device? device = null)
        : base(nameof(PlaceProduct))
    {
        _weight = new Parameter(empty([outputs, inputs, 1], float32, device ?? CPU));
        _bias = new Parameter(empty([outputs], float32, device ?? CPU));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var y = nn.functional.conv1d(x, _weight, _bias);
        ProductTrace.AddPlaces(x, _weight, y.numel() / _weight.shape[0]);
        return y;
    }
}

/// <summary>Norm over groups of channels and all places, epsilon 1e-5, then scale and shift. [B, C, ...] -> [B, C, ...].</summary>
internal sealed class GroupNormalization : nn.Module<Tensor, Tensor>
{
    private const double Epsilon = 1e-5;

    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;

    public GroupNormalization(int channels, Device? device = null)
        : base(nameof(GroupNormalization))
    {
        _weight = new Parameter(empty([channels], float32, device ?? CPU));
        _bias = new Parameter(empty([channels], float32, device ?? CPU));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => nn.functional.group_norm(x, DiffusionUNetShape.Groups, _weight, _bias, Epsilon);
}
