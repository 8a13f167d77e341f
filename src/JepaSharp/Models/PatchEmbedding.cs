using JepaSharp.Runtime;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace JepaSharp.Models;

/// <summary>Cuts images into patches and maps each to a token: a P x P convolution with stride P, done as one matrix product.</summary>
internal sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "proj")] private readonly Dense _projection;
    private readonly int _patch;

    public PatchEmbedding(string name, int channels, int patch, int width, Device? device)
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

    /// <summary>Tokens of all patches, with their positions. [B, C, H, W] -> [B, N, D].</summary>
    /// <param name="images">Pixels.</param>
    /// <param name="positions">float32 [1, N, D]; null for none.</param>
    public Tensor Tokens(Tensor images, Tensor? positions)
    {
        using var scope = NewDisposeScope();
        if (positions is null) return _projection.forward(Patches(images)).to(float32).MoveToOuterDisposeScope();
        var table = positions.select(0, 0).contiguous();
        if (Fixed(positions) && _projection.ForwardPatchesPlus(images, _patch, table, chosen: null) is { } sums)
            return sums.MoveToOuterDisposeScope();
        var tokens = _projection.forward(Patches(images));
        // In place only where the sum is float32: what runs through the blocks is, whatever the products are.
        return (is_grad_enabled() || tokens.dtype != ScalarType.Float32 ? tokens.Add(positions) : tokens.Add_(positions)).MoveToOuterDisposeScope();
    }

    /// <summary>Tokens of all patches, a given one in the place of those that are hidden, with their positions. [B, C, H, W] -> [B, N, D].</summary>
    /// <param name="images">Pixels.</param>
    /// <param name="positions">float32 [1, N, D]; null for none.</param>
    /// <param name="hidden">bool [B, N].</param>
    /// <param name="token">float32 [1, D].</param>
    public Tensor Tokens(Tensor images, Tensor? positions, Tensor hidden, Tensor token)
    {
        using var scope = NewDisposeScope();
        var tokens = _projection.forward(Patches(images));
        var shown = where(hidden.unsqueeze(-1), token.to(tokens.dtype), tokens);
        return (positions is null ? shown.to(float32) : shown.Add(positions)).MoveToOuterDisposeScope();
    }

    /// <summary>Tokens of the chosen patches alone, with their positions: the others' would be dropped unread. [B, C, H, W] -> [M B K, D].</summary>
    /// <param name="images">Pixels.</param>
    /// <param name="positions">float32 [1, N, D].</param>
    /// <param name="chosen">M sets of K patches an image.</param>
    public Tensor Tokens(Tensor images, Tensor positions, PatchSelection chosen)
    {
        using var scope = NewDisposeScope();
        var table = positions.select(0, 0);
        if (Fixed(positions) && _projection.ForwardPatchesPlus(images, _patch, table, chosen) is { } sums) return sums.MoveToOuterDisposeScope();
        var patches = Patches(images).flatten(0, 1).index_select(0, chosen.Rows);
        return _projection.forward(patches).Add(table.index_select(0, chosen.Patches)).MoveToOuterDisposeScope();
    }

    /// <summary>Whether no gradient is wanted of them: the kernels have none for a table.</summary>
    private static bool Fixed(Tensor positions) => !positions.requires_grad || !is_grad_enabled();

    /// <summary>Pixels of patches [..., C P P] to tokens [..., D].</summary>
    public override Tensor forward(Tensor patches) => _projection.forward(patches);
}
