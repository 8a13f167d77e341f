using JepaSharp.Masking;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>Which patches of a batch's large views are hidden from the student, on the device.</summary>
/// <param name="Hidden">bool [Q B, N].</param>
/// <param name="Rows">int64 [M]: the hidden ones among all Q B N patches, in order.</param>
/// <param name="Weights">float32 [M]: what each weighs in the loss, 1 / (Q B m) with m the hidden patches of its view.</param>
internal sealed record HiddenViews(Tensor Hidden, Tensor Rows, Tensor Weights) : IDisposable
{
    /// <summary>Draws those of a batch, each view of each image from a stream of its own.</summary>
    public static HiddenViews Of(IbotOptions options, IReadOnlyList<int> indices, Step step, Device device) =>
        Of(options.Masks(indices, step), device);

    /// <summary>Given ones.</summary>
    /// <param name="masks">[Q B] of [N]: of the first view of every image, then of the second.</param>
    /// <param name="device">Where to.</param>
    public static HiddenViews Of(IReadOnlyList<bool[]> masks, Device device)
    {
        var (rows, weights) = (new List<long>(), new List<float>());
        var at = 0L;
        foreach (var mask in masks)
        {
            var count = mask.Count(hidden => hidden);
            foreach (var hidden in mask)
            {
                if (hidden)
                {
                    rows.Add(at);
                    weights.Add((float)(1.0 / ((double)masks.Count * count)));
                }

                at++;
            }
        }

        Tensor To(Tensor x) => x.to(device).DetachFromDisposeScope();
        using var scope = NewDisposeScope();
        return new HiddenViews(
            To(tensor(masks.SelectMany(m => m).ToArray(), [masks.Count, masks[0].Length])),
            DeviceCopies.Upload([.. rows], device).DetachFromDisposeScope(),
            To(tensor(weights.ToArray(), [weights.Count], float32)));
    }

    /// <summary>[Q B] of [N]: the masks themselves. None before the epoch that they begin in.</summary>
    public static IReadOnlyList<bool[]> Draw(IbotOptions options, IReadOnlyList<int> indices, Step step)
    {
        var grid = new PatchGrid(options.Encoder.GridHeight, options.Encoder.GridWidth);
        var views = options.LargeViews;
        return [.. Enumerable.Range(0, views).SelectMany(view => indices.Select(index => step.Epoch < options.FirstMaskedEpoch
            ? new bool[grid.Count]
            : options.Hidden.Draw(grid, MaskDraws.Of(step.Random(RandomPurpose.Objective, ((long)index * views) + view)))))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Hidden.Dispose();
        Rows.Dispose();
        Weights.Dispose();
    }
}
