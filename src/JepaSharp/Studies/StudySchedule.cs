using JepaSharp.Configuration;

namespace JepaSharp.Studies;

/// <summary>Lays a run out for its budget: as many steps, over which every schedule runs from its beginning to its end.</summary>
internal static class StudySchedule
{
    /// <summary>
    /// Options of a run of so many steps. The warm-up keeps its share of the run, and schedules that the configuration draws out beyond a run's end
    /// (<c>optimization.ipe_scale</c>) are drawn out as far.
    /// </summary>
    /// <param name="options">As the variant has them, for epochs that do not count any more.</param>
    /// <param name="stepsPerEpoch">Steps in an epoch.</param>
    /// <param name="steps">Steps of the run.</param>
    public static PretrainOptions Laid(PretrainOptions options, int stepsPerEpoch, long steps)
    {
        var optimization = options.Optimization;
        var whole = optimization.ScheduleSteps ?? ((double)optimization.Epochs * stepsPerEpoch);
        var warmup = Math.Min(1, optimization.Warmup * stepsPerEpoch / whole);
        return Ended(options with { Optimization = optimization with { Warmup = warmup * steps / stepsPerEpoch } }, stepsPerEpoch, steps);
    }

    /// <summary>Options of a run that is to end at another step than it was laid out for; its warm-up is over.</summary>
    /// <inheritdoc cref="Laid"/>
    public static PretrainOptions Ended(PretrainOptions options, int stepsPerEpoch, long steps) => options with
    {
        Optimization = options.Optimization with
        {
            Epochs = (int)((steps + stepsPerEpoch - 1) / stepsPerEpoch),
            MaxSteps = (int)steps,
            ScheduleSteps = (int)steps,
        },
    };

    /// <summary>Whole steps that a budget pays for; null for minutes, and where operations are not counted.</summary>
    /// <param name="budget">The budget.</param>
    /// <param name="imagesPerStep">Images in a step.</param>
    /// <param name="operationsPerStep">Operations in a step, on average; null where they are not counted.</param>
    public static long? Steps(StudyBudget budget, int imagesPerStep, double? operationsPerStep) => budget.Unit switch
    {
        BudgetUnit.Steps => (long)budget.Amount,
        BudgetUnit.Images => (long)(budget.Amount / imagesPerStep),
        BudgetUnit.Operations when operationsPerStep is { } each => (long)Math.Min(long.MaxValue / 2, budget.Amount / each),
        _ => null,
    };
}
