using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Objectives;
using JepaSharp.Runtime;

namespace JepaSharp.Runs;

/// <summary>What a new run of several processes makes of a configuration whose step is a single batch, which they cannot share as it is.</summary>
/// <remarks>
/// A batch that somebody asked for is each process's, as in the published code, whose batch is that of a device; a step is then as many of them as
/// there are processes. A batch that was chosen for the images is divided instead, so that the run takes the same steps. Either way the run's
/// configuration says it, and any number of processes that divides it may go on with the run.
/// </remarks>
internal static class RankShares
{
    /// <summary>Keys by which a batch is asked for.</summary>
    public static readonly IReadOnlyList<string> Keys = ["data.batch_size", "optimization.accumulate"];

    /// <summary>The options, and why they are others; null where they are not.</summary>
    /// <param name="options">Of a run on one process.</param>
    /// <param name="ranks">Processes that are to share it.</param>
    /// <param name="isChosen">Whether nobody asked for the batch.</param>
    public static (PretrainOptions Options, string? Reason) Of(PretrainOptions options, int ranks, bool isChosen)
    {
        if (options.Optimization.Accumulate != 1) return (options, null);
        var batch = options.Data.BatchSize;
        var optimization = options.Optimization with { Accumulate = ranks };
        if (!isChosen || batch % ranks != 0)
        {
            var reason = string.Create(CultureInfo.InvariantCulture,
                $"{Quantity.Of((long)batch * ranks, "image")} a step: a batch of {batch} for each of {ranks} processes "
                    + $"(optimization.accumulate {ranks})");
            return (options with { Optimization = optimization }, reason);
        }

        var mask = options.Meta.Objective == ImageJepa.ShortName && options.Mask.ImagesPerLength is null
            ? options.Mask with { ImagesPerLength = batch }
            : options.Mask;
        var divided = options with { Data = options.Data with { BatchSize = batch / ranks }, Mask = mask, Optimization = optimization };
        return (divided, string.Create(CultureInfo.InvariantCulture,
            $"the batch of {batch} images divided among {ranks} processes (data.batch_size {batch / ranks}, optimization.accumulate {ranks})"));
    }
}
