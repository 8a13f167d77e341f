using JepaSharp.Configuration;

namespace JepaSharp.Optimization;

/// <summary>What the published code sets its schedules with.</summary>
public sealed record ScheduleOptions
{
    /// <summary>Steps in an epoch.</summary>
    public required long StepsPerEpoch { get; init; }

    /// <summary>Epochs to train.</summary>
    public required double Epochs { get; init; }

    /// <summary>Epochs of linear warm-up of the learning rate.</summary>
    public double WarmupEpochs { get; init; }

    /// <summary>Epochs at the end over which the rate falls linearly: <see cref="RateSchedule.ThreePhase"/> alone.</summary>
    public double CooldownEpochs { get; init; }

    /// <summary>Learning rate that warm-up starts from.</summary>
    public double StartLearningRate { get; init; } = 0.0002;

    /// <summary>Learning rate after warm-up, the highest.</summary>
    public double LearningRate { get; init; } = 0.001;

    /// <summary>Learning rate that the cosine ends at.</summary>
    public double FinalLearningRate { get; init; } = 1e-6;

    /// <summary>Weight decay at the start.</summary>
    public double WeightDecay { get; init; } = 0.04;

    /// <summary>Weight decay at the end.</summary>
    public double FinalWeightDecay { get; init; } = 0.4;

    /// <summary>Momentum of the moving average in the first step.</summary>
    public double StartMomentum { get; init; } = 0.996;

    /// <summary>Momentum that the last step approaches.</summary>
    public double FinalMomentum { get; init; } = 1.0;

    /// <summary>Steps to lay the schedules out over, in place of those of all epochs; null for those.</summary>
    public long? Steps { get; init; }

    /// <summary>How rates are counted along: see <see cref="Schedules"/>.</summary>
    public RateSchedule Kind { get; init; } = RateSchedule.Stepped;

    /// <summary>What an epoch's images would make in steps, where accumulation leaves some over: batches over batches a step; null for
    /// <see cref="StepsPerEpoch"/>. Used by <see cref="RateSchedule.Fractional"/>.</summary>
    public double? EpochSteps { get; init; }

    /// <summary>Stretches all schedules beyond the epochs trained, so that training stops before they end (paper, appendix A.1: 1.25).</summary>
    public double Stretch { get; init; } = 1.0;
}

/// <summary>Learning rate, weight decay and momentum of every step.</summary>
/// <remarks>
/// T = ⌊stretch · epochs · steps an epoch⌋ (or ⌊stretch · steps⌋), W = ⌊warm-up epochs · steps an epoch⌋, and step t counts from 1:
/// <code>
/// rate(t)     = start + (peak - start) t / W                                 t &lt; W
///             = final + (peak - final) (1 + cos(π (t - W) / (T - W))) / 2    otherwise, not below final
/// decay(t)    = final + (first - final) (1 + cos(π t / T)) / 2               not above final (not below, if it falls)
/// momentum(t) = first + (final - first) (t - 1) / T
/// </code>
/// <see cref="RateSchedule.Current"/>, as LeJEPA is: the same, with t - 1 in place of t.
/// <see cref="RateSchedule.Fractional"/>, as MAE is: with x the epochs done before the step (whole ones, and of the epoch's images the share), w and
/// E those of the
/// warm-up and of all, and no bound from below,
/// <code>
/// rate(x)     = start + (peak - start) x / w                                 x &lt; w
///             = final + (peak - final) (1 + cos(π (x - w) / (E - w))) / 2    otherwise
/// </code>
/// <see cref="RateSchedule.Tabled"/>, as DINO, iBOT and data2vec are: a value for every step, i = t - 1 of T,
/// <code>
/// rate(i)     = start + (peak - start) i / (W - 1)                           i &lt; W: both ends are reached
///             = final + (peak - final) (1 + cos(π (i - W) / (T - W))) / 2    otherwise: the peak once more, and never quite the final rate
/// </code>
/// with decay and momentum along the same cosine, without a warm-up. <see cref="RateSchedule.ThreePhase"/>: with C steps of cool-down,
/// <code>
/// rate(i)     = start + (peak - start) i / (W - 1)                           i &lt; W
///             = peak                                                         W ≤ i &lt; T - C
///             = peak + (final - peak) (i - T + C) / (C - 1)                  otherwise
/// </code>
/// <see cref="RateSchedule.Annealed"/>, as RCDM can be: rate(t) = peak + (final - peak) max(0, t - 2) / T.
/// The published I-JEPA code steps its rate and decay schedules before use and its momentum after: hence t and t - 1.
/// </remarks>
public sealed class Schedules
{
    private readonly ScheduleOptions _options;
    private readonly double _total;
    private readonly double _warmup;

    /// <summary>Schedules for a run.</summary>
    public Schedules(ScheduleOptions options)
    {
        _options = options;
        _total = Math.Floor(
            options.Steps is { } steps ? options.Stretch * steps : options.Stretch * options.Epochs * options.StepsPerEpoch);
        _warmup = Math.Floor(options.WarmupEpochs * options.StepsPerEpoch);
    }

    /// <summary>Learning rate of step <paramref name="step"/>, counted from 1.</summary>
    public double LearningRate(long step)
    {
        var (start, peak, final) = (_options.StartLearningRate, _options.LearningRate, _options.FinalLearningRate);
        switch (_options.Kind)
        {
            case RateSchedule.Fractional:
                var (done, warmup) = (EpochsBefore(step), _options.WarmupEpochs);
                var all = _options.Steps is { } steps ? _options.Stretch * steps / _options.StepsPerEpoch : _options.Stretch * _options.Epochs;
                return done < warmup ? start + ((peak - start) * done / warmup) : Cosine(peak, final, Math.Min(1, (done - warmup) / (all - warmup)));
            case RateSchedule.Tabled:
                return step <= _warmup
                    ? start + ((peak - start) * (step - 1) / Math.Max(1, _warmup - 1))
                    : Cosine(peak, final, Math.Min(1, (step - 1 - _warmup) / Math.Max(1, _total - _warmup)));
            case RateSchedule.ThreePhase:
                var last = Math.Floor(_options.CooldownEpochs * _options.StepsPerEpoch);
                return step <= _warmup ? start + ((peak - start) * (step - 1) / Math.Max(1, _warmup - 1))
                    : peak + ((final - peak) * Math.Clamp((step - 1 - (_total - last)) / Math.Max(1, last - 1), 0, 1));
            case RateSchedule.Annealed:
                return peak + ((final - peak) * Math.Clamp((step - 2) / Math.Max(1, _total), 0, 1));
            default:
                var place = Place(step);
                if (place < _warmup) return start + ((peak - start) * place / _warmup);
                return Math.Max(final, Cosine(peak, final, (place - _warmup) / Math.Max(1, _total - _warmup)));
        }
    }

    /// <summary>Weight decay of step <paramref name="step"/>, counted from 1.</summary>
    public double WeightDecay(long step)
    {
        var (first, final) = (_options.WeightDecay, _options.FinalWeightDecay);
        var value = Cosine(first, final, Place(step) / _total);
        return final <= first ? Math.Max(final, value) : Math.Min(final, value);
    }

    /// <summary>Momentum of the moving average after step <paramref name="step"/>, counted from 1.</summary>
    public double Momentum(long step)
    {
        var (first, final) = (_options.StartMomentum, _options.FinalMomentum);
        var done = (step - 1) / _total;
        var isCosine = _options.Kind is RateSchedule.Tabled or RateSchedule.ThreePhase;
        return Math.Min(1, isCosine ? Cosine(first, final, Math.Min(1, done)) : first + ((final - first) * done));
    }

    /// <summary>Share of the schedules that is done before step <paramref name="step"/>, counted from 1; in [0, 1].</summary>
    public double Progress(long step) => Math.Clamp((step - 1) / Math.Max(1, _total), 0, 1);

    /// <summary>Epochs finished before step <paramref name="step"/>, counted from 1.</summary>
    public int EpochOf(long step) => (int)((step - 1) / StepsPerEpoch);

    /// <summary>Steps in an epoch.</summary>
    public long StepsPerEpoch => _options.StepsPerEpoch;

    // Fractional decay is constant where it is published, and goes with the steps where it is not.
    private long Place(long step) => _options.Kind is RateSchedule.Current or RateSchedule.Tabled or RateSchedule.ThreePhase or RateSchedule.Annealed
        ? step - 1 : step;

    private double EpochsBefore(long step)
    {
        var (epoch, within) = Math.DivRem(step - 1, _options.StepsPerEpoch);
        return epoch + (within / (_options.EpochSteps ?? _options.StepsPerEpoch));
    }

    private static double Cosine(double from, double to, double progress) => to + ((from - to) * 0.5 * (1 + Math.Cos(Math.PI * progress)));
}
