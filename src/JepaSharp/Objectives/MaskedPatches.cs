using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Which patches of each image of a batch are masked, on the device.</summary>
/// <remarks>B images, N patches, M masked patches in all, image by image and row by row.</remarks>
public sealed class MaskedPatches : IDisposable
{
    /// <summary>Uploads the masks of a batch.</summary>
    /// <param name="masks">[N] of each image, true where a patch is masked.</param>
    /// <param name="device">Where to.</param>
    /// <exception cref="ArgumentException">There is none, or they differ in length.</exception>
    public MaskedPatches(IReadOnlyList<bool[]> masks, Device device)
    {
        ArgumentNullException.ThrowIfNull(masks);
        if (masks.Count == 0 || masks.Any(mask => mask.Length != masks[0].Length))
            throw new ArgumentException("Expected one mask an image, all of one length.", nameof(masks));
        ByImage = [.. masks.Select(mask => Enumerable.Range(0, mask.Length).Where(patch => mask[patch]).ToArray())];
        Masked = tensor(masks.SelectMany(mask => mask).ToArray(), [masks.Count, masks[0].Length], device: device).DetachFromDisposeScope();
        var rows = ByImage.SelectMany((patches, image) => patches.Select(patch => ((long)image * masks[0].Length) + patch)).ToArray();
        Rows = DeviceCopies.Upload(rows, device).DetachFromDisposeScope();
    }

    /// <summary>bool [B, N]: true where a patch is masked.</summary>
    public Tensor Masked { get; }

    /// <summary>The masked patches of each image, ascending.</summary>
    public IReadOnlyList<int[]> ByImage { get; }

    /// <summary>int64 [M]: rows of the masked patches in [B N, ...].</summary>
    public Tensor Rows { get; }

    /// <summary>M.</summary>
    public int Count => (int)Rows.shape[0];

    /// <inheritdoc/>
    public void Dispose()
    {
        Masked.Dispose();
        Rows.Dispose();
    }
}
