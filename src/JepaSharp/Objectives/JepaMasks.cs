using JepaSharp.Masking;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>A batch's context and target blocks on the device.</summary>
/// <param name="Context">Mc context blocks of Kc patches an image.</param>
/// <param name="Targets">Mt target blocks of Kt patches an image.</param>
public sealed record JepaMasks(PatchSelection Context, PatchSelection Targets) : IDisposable
{
    /// <summary>Uploads the masks of a batch.</summary>
    public static JepaMasks Of(MaskBatch masks, Device device)
    {
        PatchSelection Upload(int blocks, Func<int, ReadOnlyMemory<long>> block) =>
            new([.. Enumerable.Range(0, blocks).Select(b => block(b).ToArray())], masks.Batch, masks.Grid.Count, device);
        return new JepaMasks(Upload(masks.ContextBlocks, masks.Context), Upload(masks.TargetBlocks, masks.Target));
    }

    /// <summary>[Mt B, Kt, D] -> [Mt Mc B, Kt, D]: every target block once for each context block it is predicted from.</summary>
    internal Tensor ForEveryContext(Tensor targets)
    {
        var (blocks, images, patches, contexts) = (Targets.Sets, Targets.Images, Targets.PatchesPerSet, Context.Sets);
        return targets.view(blocks, 1, images, patches, -1).expand(blocks, contexts, images, patches, -1).reshape(
            blocks * contexts * images, patches, -1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Context.Dispose();
        Targets.Dispose();
    }
}
