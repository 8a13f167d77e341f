using System.Globalization;
using JepaSharp.Configuration;

namespace JepaSharp.Monitoring;

/// <summary>What to change about a run that collapses, with the values it has: what helped in the runs of docs/experiments.md, the likeliest first.</summary>
public static class CollapseAdvice
{
    private const double SteadyMomentum = 0.98, GentleDecay = 0.1, UsualTarget = 0.15;
    private const int SmallBatch = 64;

    /// <summary>One sentence for a configuration.</summary>
    public static string For(PretrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var (training, batch) = (options.Optimization, options.Data.BatchSize * options.Optimization.Accumulate);
        List<string> changes = [];
        if (training.Ema.Start < SteadyMomentum) changes.Add(Invariant($"let the target encoder follow more slowly (optimization.ema from {training.Ema.Start}; try {SteadyMomentum})"));
        changes.Add(Invariant($"a lower learning rate (optimization.lr {training.Lr}; try {training.Lr / 3:G2})"));
        if (training.FinalWeightDecay > GentleDecay) changes.Add(Invariant($"less weight decay at the end (optimization.final_weight_decay {training.FinalWeightDecay}; try {GentleDecay})"));
        if (options.Mask.PredMaskScale.Low < UsualTarget) changes.Add(Invariant($"larger targets (mask.pred_mask_scale from {options.Mask.PredMaskScale.Low}; try {UsualTarget})"));
        if (batch < SmallBatch) changes.Add(Invariant($"a larger batch (data.batch_size {options.Data.BatchSize}; try {SmallBatch})"));
        return $"Try, one at a time: {string.Join("; ", changes)}.";
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
