using JepaSharp.Objectives;
using JepaSharp.Training.Progress;

namespace JepaSharp.Monitoring;

/// <summary>Takes a reading every so many steps of a run and glances in between, hands them to the run's other observers, and warns through
/// them.</summary>
/// <remarks>Also at the first and the last step, so that every run, however short, has two readings to compare.</remarks>
public sealed class MonitoringObserver : ITrainingObserver
{
    private readonly RunMonitor _monitor;
    private readonly Objective _objective;
    private readonly int _every;
    private readonly int _glanceEvery;
    private readonly CollapseWatch _watch;
    private readonly ITrainingObserver _listeners;
    private readonly CancellationToken _stop;

    /// <summary>An observer of one run.</summary>
    /// <param name="monitor">Takes the readings.</param>
    /// <param name="objective">The networks being trained.</param>
    /// <param name="every">Steps between readings.</param>
    /// <param name="glanceEvery">Steps between glances, where no reading is due.</param>
    /// <param name="watch">Judges them.</param>
    /// <param name="listeners">Who hears of readings and warnings.</param>
    /// <param name="stop">Leaves a reading unfinished; a resume takes it.</param>
    public MonitoringObserver(
        RunMonitor monitor, Objective objective, int every, int glanceEvery, CollapseWatch watch, ITrainingObserver listeners,
        CancellationToken stop = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(every);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(glanceEvery);
        (_monitor, _objective, _every, _glanceEvery, _watch, _listeners, _stop) = (monitor, objective, every, glanceEvery, watch, listeners, stop);
    }

    /// <summary>Time that readings and glances have taken so far.</summary>
    public TimeSpan Spent { get; private set; }

    /// <inheritdoc/>
    public void OnStart(RunPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        // The rows of the step that a run is resumed at are made again, probes and readings alike: see MeasuresCsv.Resume.
        Look(plan.FirstStep, plan.TotalSteps, plan.IterationsPerEpoch);
    }

    /// <inheritdoc/>
    public void OnStep(in StepReport step)
    {
        Look(step.Step, step.TotalSteps, step.IterationsPerEpoch);
    }

    private void Look(long step, long totalSteps, int stepsPerEpoch)
    {
        var isReading = step % _every == 0 || step == totalSteps;
        if (!isReading && step % _glanceEvery != 0) return;
        var started = TimeProvider.System.GetTimestamp();
        IReadOnlyDictionary<string, double> measures;
        IReadOnlyList<CollapseWarning> warnings;
        try
        {
            (measures, warnings) = isReading ? Read(step) : Glance(step);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return;
        }
        finally
        {
            Spent += TimeProvider.System.GetElapsedTime(started);
        }

        _listeners.OnMeasures((int)(step / stepsPerEpoch), step, measures);
        foreach (var warning in warnings) _listeners.OnWarning(warning.Step, warning.Text);
    }

    private (IReadOnlyDictionary<string, double> Measures, IReadOnlyList<CollapseWarning> Warnings) Read(long step)
    {
        var reading = _monitor.Read(_objective, new LookProgress(_listeners, "the monitors read", _monitor.Images), _stop);
        return (reading.ToMeasures(), _watch.Add(step, reading));
    }

    private (IReadOnlyDictionary<string, double> Measures, IReadOnlyList<CollapseWarning> Warnings) Glance(long step)
    {
        var glance = _monitor.Glance(_objective, step / _glanceEvery);
        return (glance.ToMeasures(), _watch.Add(step, glance));
    }

    private sealed class LookProgress(ITrainingObserver listeners, string what, int total) : IProgress<int>
    {
        public void Report(int value) => listeners.OnLook(what, value, total);
    }
}
