using static TorchSharp.torch;

namespace JepaSharp.Models.Diffusion;

/// <summary>Residual blocks, attention and resizing in a row, numbered as they come: a place of the published names.</summary>
/// <param name="shape">The network's.</param>
/// <param name="device">Where the weights live.</param>
internal sealed class UNetStage(DiffusionUNetShape shape, Device? device) : nn.Module(nameof(UNetStage))
{
    private readonly List<nn.Module> _parts = [];

    /// <summary>A residual block more.</summary>
    public UNetStage Block(int inputs, int outputs) => With(new ResidualConvolutions(shape, inputs, outputs, Resize.None, device));

    /// <summary>Attention more, where it is wanted.</summary>
    public UNetStage AttendIf(bool attends, int channels) => attends ? With(new PlaceAttention(shape, channels, device)) : this;

    /// <summary>A change of the side more.</summary>
    public UNetStage Resizing(int channels, Resize resize) => With(shape.ResizesInBlocks
        ? new ResidualConvolutions(shape, channels, channels, resize, device)
        : new ResizingConvolution(channels, resize, device));

    /// <summary>[B, C, H, W], [B, E] -> [B, C', H', W'].</summary>
    public Tensor Forward(Tensor x, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        var h = x;
        foreach (var part in _parts)
        {
            h = part switch
            {
                ResidualConvolutions block => block.Forward(h, embedding),
                PlaceAttention attention => attention.Forward(h),
                _ => ((ResizingConvolution)part).Forward(h),
            };
        }

        return h.MoveToOuterDisposeScope();
    }

    private UNetStage With(nn.Module part)
    {
        register_module($"{_parts.Count}", part);
        _parts.Add(part);
        return this;
    }
}
