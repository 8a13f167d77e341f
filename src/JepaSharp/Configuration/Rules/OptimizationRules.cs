namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section optimization.</summary>
internal static class OptimizationRules
{
    public static void Check(OptimizationOptions optimization, RuleChecks checks)
    {
        var o = optimization;
        checks.AtLeast(1, o.Epochs, "optimization.epochs");
        checks.AtLeast(1, o.MaxSteps, "optimization.max_steps");
        checks.AtLeast(1, o.Accumulate, "optimization.accumulate");
        checks.Require(o.Warmup >= 0 && o.Warmup <= Math.Max(1, o.Epochs), "optimization.warmup", o.Warmup, $"0 to optimization.epochs ({o.Epochs})");
        checks.Require(
            o.IpeScale >= 1 && double.IsFinite(o.IpeScale), "optimization.ipe_scale", o.IpeScale, "1 or more: schedules end no sooner than the run");
        CheckLearningRates(o, checks);
        checks.Require(IsRate(o.WeightDecay), "optimization.weight_decay", o.WeightDecay, "0 or more");
        checks.Require(IsRate(o.FinalWeightDecay), "optimization.final_weight_decay", o.FinalWeightDecay, "0 or more");
        var isMomentum = o.Ema is { Start: >= 0, End: <= 1 } && o.Ema.Start <= o.Ema.End;
        checks.Require(isMomentum, "optimization.ema", o.Ema, "[start, end] with start <= end, both in [0, 1]");
        checks.Require(o.Beta1 is >= 0 and < 1, "optimization.beta1", o.Beta1, "a number in [0, 1)");
        checks.Require(o.Beta2 is >= 0 and < 1, "optimization.beta2", o.Beta2, "a number in [0, 1)");
        checks.Require(o.Eps > 0 && double.IsFinite(o.Eps), "optimization.eps", o.Eps, "a number above 0");
        checks.Require(o.ClipGrad is null or > 0, "optimization.clip_grad", o.ClipGrad, "a number above 0, or null for no clipping");
        checks.AtLeast(0, o.SkipNonFinite, "optimization.skip_non_finite");
    }

    private static void CheckLearningRates(OptimizationOptions o, RuleChecks checks)
    {
        if (!(o.Lr > 0) || !double.IsFinite(o.Lr))
        {
            checks.Require(false, "optimization.lr", o.Lr, "a number above 0");
            return;
        }
        var peak = $"0 to the highest learning rate, optimization.lr ({Schema.OptionValue.Write(o.Lr)})";
        checks.Require(o.StartLr >= 0 && o.StartLr <= o.Lr, "optimization.start_lr", o.StartLr, peak);
        checks.Require(o.FinalLr >= 0 && o.FinalLr <= o.Lr, "optimization.final_lr", o.FinalLr, peak);
    }

    private static bool IsRate(double value) => value >= 0 && double.IsFinite(value);
}
