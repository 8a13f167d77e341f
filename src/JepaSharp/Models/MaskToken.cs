using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>What stands where an encoder is not shown a patch: one learned vector, in the place of the patch's embedding, before its position is
/// added.</summary>
/// <remarks>Bao et al., ICLR 2022, and Zhou et al., ICLR 2022. A network of its own beside an encoder that has none: a teacher never sees
/// it.</remarks>
public sealed class MaskToken : nn.Module
{
    /// <summary>Its name, as published.</summary>
    public const string WeightName = "masked_embed";

    [ComponentName(Name = WeightName)] private readonly Parameter _value;

    /// <summary>A token of zeros.</summary>
    /// <param name="width">D.</param>
    /// <param name="device">Where it lives; meta for shapes alone. Null: the CPU.</param>
    public MaskToken(int width, Device? device = null)
        : base(nameof(MaskToken))
    {
        using var outside = NewDisposeScope();
        _value = new Parameter(zeros([1, width], float32, device));
        RegisterComponents();
        Positions.Detach(this, outside);
    }

    /// <summary>float32 [1, D].</summary>
    public Parameter Value => _value;
}
