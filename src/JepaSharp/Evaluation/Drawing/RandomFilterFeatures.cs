using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.Drawing;

/// <summary>Features of pictures that no training made: what random filters find, at three sizes, on a grid of 4x4 places.</summary>
/// <remarks>For comparing pictures by another eye than the one whose representation they were drawn from, which would judge its own words. Each
/// filter is 5x5 over three channels, without a mean; its answers' absolute values are averaged over each place.</remarks>
public static class RandomFilterFeatures
{
    private const int Filters = 32, Side = 5, Sizes = 3, Places = 4;

    /// <summary>[n, 3, S, S] -> float32 [n, features].</summary>
    /// <param name="pictures">-1 to 1.</param>
    /// <param name="seed">Keys the filters.</param>
    public static Tensor Of(Tensor pictures, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var random = new RandomStream(seed, RandomPurpose.Evaluation, epoch: 5);
        var weights = new float[Filters * 3 * Side * Side];
        for (var i = 0; i < weights.Length; i++) weights[i] = (float)random.NextGaussian();
        var filters = tensor(weights, [Filters, 3, Side, Side], device: pictures.device);
        filters = filters.Subtract(filters.mean([1L, 2, 3], keepdim: true));
        var parts = new List<Tensor>();
        var sized = pictures;
        for (var size = 0; size < Sizes && sized.shape[2] >= Places; size++)
        {
            var answers = nn.functional.conv2d(sized, filters, null, [1, 1], [Side / 2, Side / 2]).abs();
            parts.Add(nn.functional.adaptive_avg_pool2d(answers, [Places, Places]).flatten(1));
            sized = nn.functional.avg_pool2d(sized, 2L);
        }

        return cat(parts, 1).MoveToOuterDisposeScope();
    }
}
