using JepaSharp.Monitoring;
using JepaSharp.Training.Progress;

namespace JepaSharp.Cli.Display;

/// <summary>Where a run stands: the last step, with the smoothed loss, rate and wait.</summary>
internal sealed class RunStatus(RunPlan plan)
{
    private readonly SmoothedAverage _loss = new(50), _seconds = new(50), _wait = new(50);

    public long Step { get; private set; } = plan.FirstStep;

    /// <summary>Whether a step was made since the process began.</summary>
    public bool HasSteps => Step > plan.FirstStep;

    public long TotalSteps => plan.TotalSteps;

    public int Epoch { get; private set; }

    public int Epochs => plan.Epochs;

    public double Loss => _loss.Value;

    /// <summary>What the monitors said last, and after which step; null before they have.</summary>
    public (long Step, MonitorReading Reading)? Read { get; set; }

    public double ImagesPerSecond => plan.BatchSize / Math.Max(_seconds.Value, 1e-9);

    /// <summary>Share of the time spent waiting for data, 0 to 1.</summary>
    public double DataWait => _wait.Value / Math.Max(_seconds.Value, 1e-9);

    public TimeSpan TimeLeft => TimeSpan.FromSeconds(Math.Max(TotalSteps - Step, 0) * _seconds.Value);

    /// <summary>Share of the steps that are done, 0 to 1.</summary>
    public double Progress => TotalSteps == 0 ? 1 : Math.Clamp(Step / (double)TotalSteps, 0, 1);

    public void Add(in StepReport step)
    {
        (Step, Epoch) = (step.Step, step.Epoch);
        if (float.IsFinite(step.Loss)) _loss.Add(step.Loss);
        _seconds.Add((step.StepTime + step.DataWait).TotalSeconds);
        _wait.Add(step.DataWait.TotalSeconds);
    }
}
