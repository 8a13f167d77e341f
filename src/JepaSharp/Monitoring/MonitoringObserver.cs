using JepaSharp.Objectives;
using JepaSharp.Training.Progress;

namespace JepaSharp.Monitoring;

/// <summary>Takes a reading every so many steps of a run, hands it to the run's other observers, and warns through them.</summary>
/// <remarks>Also at the first and the last step, so that every run, however short, has two readings to compare.</remarks>
public sealed class MonitoringObserver : ITrainingObserver
{
    private readonly RunMonitor _monitor;
    private readonly ImageJepa _objective;
    private readonly int _every;
    private readonly CollapseWatch _watch;
    private readonly ITrainingObserver _listeners;

    /// <summary>An observer of one run.</summary>
    /// <param name="monitor">Takes the readings.</param>
    /// <param name="objective">The networks being trained.</param>
    /// <param name="every">Steps between readings.</param>
    /// <param name="watch">Judges them.</param>
    /// <param name="listeners">Who hears of readings and warnings.</param>
    public MonitoringObserver(RunMonitor monitor, ImageJepa objective, int every, CollapseWatch watch, ITrainingObserver listeners)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(every);
        (_monitor, _objective, _every, _watch, _listeners) = (monitor, objective, every, watch, listeners);
    }

    /// <summary>Time that readings have taken so far.</summary>
    public TimeSpan Spent { get; private set; }

    /// <inheritdoc/>
    public void OnStart(RunPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        // The rows of the step that a run is resumed at are made again, probes and readings alike: see MeasuresCsv.Resume.
        if (IsDue(plan.FirstStep, plan.TotalSteps)) Read((int)(plan.FirstStep / plan.IterationsPerEpoch), plan.FirstStep);
    }

    /// <inheritdoc/>
    public void OnStep(in StepReport step)
    {
        if (IsDue(step.Step, step.TotalSteps)) Read((int)(step.Step / step.IterationsPerEpoch), step.Step);
    }

    private bool IsDue(long step, long totalSteps) => step % _every == 0 || step == totalSteps;

    private void Read(int epoch, long step)
    {
        var started = TimeProvider.System.GetTimestamp();
        var reading = _monitor.Read(_objective);
        Spent += TimeProvider.System.GetElapsedTime(started);
        _listeners.OnMeasures(epoch, step, reading.ToMeasures());
        foreach (var warning in _watch.Add(step, reading)) _listeners.OnWarning(warning.Step, warning.Text);
    }
}
