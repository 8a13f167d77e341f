using System.Globalization;
using JepaSharp.Configuration;

namespace JepaSharp.Monitoring;

/// <summary>A sentence or two about a run that is going wrong.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Text">What was seen, and what to change.</param>
public sealed record CollapseWarning(long Step, string Text);

/// <summary>Reads a run's readings as they come and says, once each, what is going wrong.</summary>
/// <remarks>
/// Targets are layer-normed: over its features every target has variance 1, whatever the encoder. The loss of the best constant is therefore an
/// absolute number, about half the share of that variance in which any two patches differ, and the loss by position half the share in which two
/// images differ. The bounds below come from runs that were seen to collapse and runs that were not: docs/monitoring.md has the table.
/// </remarks>
public sealed class CollapseWatch
{
    /// <summary>A loss of the best constant below this: all patches of all images look the same.</summary>
    public const double LeastConstantLoss = 0.01;

    /// <summary>A loss by position alone below this: all images look the same.</summary>
    public const double LeastPositionLoss = 0.005;

    /// <summary>A loss above this share of the best constant's: the predictor uses nothing that it sees.</summary>
    public const double NoBetter = 0.95;

    /// <summary>Where an objective has no such losses: a mean cosine between images above this, with fewer directions than <see cref="LeastRank"/>,
    /// is a collapse.</summary>
    public const double MostCosine = 0.999;

    /// <summary>See <see cref="MostCosine"/>.</summary>
    public const double LeastRank = 1.5;

    /// <summary>Readings and glances in a row that have to be bad: a healthy run dips early and recovers.</summary>
    private const int CollapsedInARow = 2, NoBetterInARow = 3, OwnSignsInARow = 3;

    /// <summary>Until here the predictor is only beginning, and no better than a constant in any run.</summary>
    private const long FirstJudged = 300;

    private readonly string _advice;
    private readonly bool _targetsAreFixed;
    private readonly Func<IReadOnlyDictionary<string, double>, string?>? _sign;
    private int _collapsed, _noBetter, _signs;
    private bool _collapseSaid, _noBetterSaid;

    /// <summary>A watch over one run.</summary>
    /// <param name="advice">What to change, in a sentence: see <see cref="CollapseAdvice"/>.</param>
    /// <param name="targetsAreFixed">Whether constants' losses say nothing of the encoder: see
    /// <see cref="Objectives.Objective.TargetsAreFixed"/>.</param>
    /// <param name="sign">What an objective's own measures say of a collapse: see <see cref="Objectives.Objective.SignOfCollapse"/>.</param>
    public CollapseWatch(string advice = "", bool targetsAreFixed = false, Func<IReadOnlyDictionary<string, double>, string?>? sign = null) =>
        (_advice, _targetsAreFixed, _sign) = (advice.Length > 0 ? " " + advice : "", targetsAreFixed, sign);

    /// <summary>Whether the features that a reading is of tell nothing apart any more.</summary>
    /// <param name="reading">The reading.</param>
    /// <param name="targetsAreFixed">Whether constants' losses say nothing of the encoder.</param>
    public static bool IsCollapsed(MonitorReading reading, bool targetsAreFixed = false)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var signs = OfTheEncoder(reading, targetsAreFixed);
        return IsCollapsed(signs.ConstantLoss, signs.PositionLoss, signs.RankMe, signs.MeanCosine);
    }

    /// <summary>Without the constants' losses, where those are of targets that no network makes.</summary>
    private static MonitorReading OfTheEncoder(MonitorReading reading, bool targetsAreFixed) =>
        targetsAreFixed ? reading with { ConstantLoss = double.NaN, PositionLoss = double.NaN } : reading;

    private static bool IsCollapsed(double constantLoss, double positionLoss, double rankMe, double meanCosine) => double.IsNaN(constantLoss)
        ? meanCosine > MostCosine && rankMe < LeastRank
        : constantLoss < LeastConstantLoss || positionLoss < LeastPositionLoss;

    /// <summary>Judges one more reading.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="reading">The reading.</param>
    /// <returns>What is to be said now and was not said before.</returns>
    public IReadOnlyList<CollapseWarning> Add(long step, MonitorReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var warnings = new List<CollapseWarning>();
        if (CountsAsCollapse(IsCollapsed(reading, _targetsAreFixed)))
            warnings.Add(new CollapseWarning(step, Collapsing(OfTheEncoder(reading, _targetsAreFixed)) + _advice));
        if (OwnSign(step, reading) is { } own) warnings.Add(new CollapseWarning(step, $"the run is collapsing: {own}.{_advice}"));
        _noBetter = step >= FirstJudged && reading.Loss >= NoBetter * reading.ConstantLoss ? _noBetter + 1 : 0;
        if (_noBetter >= NoBetterInARow && !_noBetterSaid)
        {
            _noBetterSaid = true;
            warnings.Add(new CollapseWarning(step, Useless(reading) + _advice));
        }

        return warnings;
    }

    /// <summary>Judges one more glance, as one of the readings in a row that tell a collapse.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="glance">The glance.</param>
    /// <returns>What is to be said now and was not said before.</returns>
    public IReadOnlyList<CollapseWarning> Add(long step, MonitorGlance glance)
    {
        ArgumentNullException.ThrowIfNull(glance);
        return CountsAsCollapse(IsCollapsed(glance.ConstantLoss, glance.PositionLoss, glance.RankMe, glance.MeanCosine))
            ? [new CollapseWarning(step, Collapsing(glance) + _advice)] : [];
    }

    /// <summary>What the objective's own measures said in as many readings in a row as are needed; once, and not where the features said so
    /// before.</summary>
    private string? OwnSign(long step, MonitorReading reading)
    {
        // Outputs that nothing was learned with yet tell as little as those that have collapsed.
        var sign = step >= FirstJudged ? _sign?.Invoke(reading.Others) : null;
        _signs = sign is null ? 0 : _signs + 1;
        if (_signs < OwnSignsInARow || _collapseSaid) return null;
        _collapseSaid = true;
        return sign;
    }

    /// <summary>Counts bad signs in a row; true once, when there are enough.</summary>
    private bool CountsAsCollapse(bool isBad)
    {
        _collapsed = isBad ? _collapsed + 1 : 0;
        if (_collapsed < CollapsedInARow || _collapseSaid) return false;
        return _collapseSaid = true;
    }

    private static string Collapsing(MonitorReading r) => Collapsing(
        r.ConstantLoss,
        string.Create(CultureInfo.InvariantCulture,
            $"RankMe {r.RankMe:F1}, mean cosine between images "
                + $"{r.MeanCosine:F4}{(double.IsNaN(r.ConstantLoss) ? "" : $", loss of a constant prediction {r.ConstantLoss:F4}")}"));

    private static string Collapsing(MonitorGlance g) => Collapsing(
        g.ConstantLoss,
        double.IsNaN(g.ConstantLoss)
            ? string.Create(CultureInfo.InvariantCulture, $"RankMe {g.RankMe:F1}, mean cosine between images {g.MeanCosine:F4}")
            : string.Create(
                CultureInfo.InvariantCulture, $"loss of a constant prediction {g.ConstantLoss:F4}, of one from position alone {g.PositionLoss:F4}"));

    private static string Collapsing(double constantLoss, string signs) =>
        $"the run is collapsing: the {(double.IsNaN(constantLoss) ? "encoder" : "target encoder")} says nearly the same of "
            + $"{(constantLoss < LeastConstantLoss ? "everything" : "every image")} ({signs}). A low loss is worth nothing then.";

    private static string Useless(MonitorReading r) => string.Create(
        CultureInfo.InvariantCulture,
        $"the loss, {r.Loss:F4}, is no better than that of the best constant prediction, {r.ConstantLoss:F4}: the predictor has learned nothing "
            + $"about the images.");
}

/// <summary>What to change about a run that collapses, with the values it has: what helped in the runs of docs/experiments.md, the likeliest
/// first.</summary>
public static class CollapseAdvice
{
    private const double SteadyMomentum = 0.98, GentleDecay = 0.1, UsualTarget = 0.15, UsualTemperature = 0.04, UsualCenter = 0.9;
    private const int SmallBatch = 64;

    /// <summary>One sentence for a configuration.</summary>
    public static string For(PretrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var (training, batch) = (options.Optimization, options.Data.BatchSize * options.Optimization.Accumulate);
        List<string> changes = [];
        if (training.Ema.Start < SteadyMomentum && options.Ijepa.Target == JepaTarget.Representations)
            changes.Add(Invariant($"let the target encoder follow more slowly (optimization.ema from {training.Ema.Start}; try {SteadyMomentum})"));
        changes.Add(Invariant($"a lower learning rate (optimization.lr {training.Lr}; try {training.Lr / 3:G2})"));
        if (training.FinalWeightDecay > GentleDecay)
            changes.Add(Invariant($"less weight decay at the end (optimization.final_weight_decay {training.FinalWeightDecay}; try {GentleDecay})"));
        if (options.Mask.PredMaskScale.Low < UsualTarget)
            changes.Add(Invariant($"larger targets (mask.pred_mask_scale from {options.Mask.PredMaskScale.Low}; try {UsualTarget})"));
        if (options.Meta.Objective == Objectives.LeJepa.ShortName)
            changes.Add(Invariant($"a larger share of the statistic (lejepa.lambda {options.Lejepa.Lambda}; try {2 * options.Lejepa.Lambda})"));
        var (dino, ibot) = (options.Dino, options.Ibot);
        if (options.Meta.Objective == Objectives.Dino.ShortName) changes.AddRange(OfOutputs("dino", dino.TeacherTemp, dino.CenterMomentum));
        if (options.Meta.Objective == Objectives.Ibot.ShortName) changes.AddRange(OfOutputs("ibot", ibot.TeacherTemp, ibot.CenterMomentum));
        if (options.Meta.Objective == Objectives.MaskedSiamese.ShortName)
        {
            if (!options.Msn.Sinkhorn) changes.Insert(0, "balanced targets (msn.sinkhorn false; try true)");
            changes.Insert(0, Invariant(
                $"a larger weight of the mean entropy (msn.mean_entropy {options.Msn.MeanEntropy}; try {Math.Max(1, 2 * options.Msn.MeanEntropy)})"));
        }

        if (batch < SmallBatch) changes.Add(Invariant($"a larger batch (data.batch_size {options.Data.BatchSize}; try {SmallBatch})"));
        return $"Try, one at a time: {string.Join("; ", changes)}.";
    }

    private static IEnumerable<string> OfOutputs(string section, double temperature, double momentum)
    {
        if (temperature > UsualTemperature)
            yield return Invariant($"a sharper teacher ({section}.teacher_temp {temperature}; try {UsualTemperature})");
        if (momentum > UsualCenter) yield return Invariant($"a centre that follows ({section}.center_momentum {momentum}; try {UsualCenter})");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
