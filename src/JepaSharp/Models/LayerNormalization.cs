using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Layer norm over the last axis with scale and shift, epsilon 1e-6. [..., D] -> [..., D], in float32.</summary>
internal sealed class LayerNormalization : nn.Module<Tensor, Tensor>
{
    public const double Epsilon = 1e-6;

    [ComponentName(Name = "weight")] private readonly Parameter _weight;
    [ComponentName(Name = "bias")] private readonly Parameter _bias;
    private readonly long[] _shape;

    public LayerNormalization(string name, int width, Device device)
        : base(name)
    {
        _shape = [width];
        _weight = new Parameter(empty(_shape, float32, device));
        _bias = new Parameter(empty(_shape, float32, device));
        RegisterComponents();
    }

    public Parameter Weight => _weight;

    public Parameter Bias => _bias;

    public override Tensor forward(Tensor x) => nn.functional.layer_norm(x, _shape, _weight, _bias, Epsilon);
}
