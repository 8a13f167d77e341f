using JepaSharp.Masking;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>MAE's masks of a batch on the device.</summary>
/// <param name="Kept">One set of K patches an image: what the encoder sees.</param>
/// <param name="Removed">One set of the N - K others: what is to be guessed.</param>
public sealed record AutoencoderMasks(PatchSelection Kept, PatchSelection Removed) : IDisposable
{
    /// <summary>Uploads the masks of a batch.</summary>
    public static AutoencoderMasks Of(RandomPatches masks, Device device)
    {
        ArgumentNullException.ThrowIfNull(masks);
        return new AutoencoderMasks(
            new PatchSelection([masks.KeptPatches()], masks.Images, masks.Patches, device),
            new PatchSelection([masks.RemovedPatches()], masks.Images, masks.Patches, device));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kept.Dispose();
        Removed.Dispose();
    }
}
