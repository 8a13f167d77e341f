using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Cuts images into patches and maps each to a token: a P x P convolution with stride P, done as one matrix product.</summary>
internal sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "proj")] private readonly Dense _projection;
    private readonly int _patch;

    public PatchEmbedding(string name, int channels, int patch, int width, Device device)
        : base(name)
    {
        _patch = patch;
        _projection = new Dense("proj", [width, channels, patch, patch], device);
        RegisterComponents();
    }

    public Dense Projection => _projection;

    /// <summary>Images [B, C, H, W] to the pixels of their patches [B, N, C P P], in the weight's order.</summary>
    public Tensor Patches(Tensor images)
    {
        using var scope = NewDisposeScope();
        long batch = images.shape[0], channels = images.shape[1], rows = images.shape[2] / _patch, columns = images.shape[3] / _patch;
        return images.reshape(batch, channels, rows, _patch, columns, _patch).permute(0, 2, 4, 1, 3, 5)
            .reshape(batch, rows * columns, channels * _patch * _patch).MoveToOuterDisposeScope();
    }

    /// <summary>Pixels of patches [..., C P P] to tokens [..., D].</summary>
    public override Tensor forward(Tensor patches) => _projection.forward(patches);
}
