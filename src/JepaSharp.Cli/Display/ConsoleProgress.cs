using System.Globalization;
using JepaSharp.Monitoring;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;

namespace JepaSharp.Cli.Display;

/// <summary>Shows a run as it goes: one line redrawn in place on a terminal, a plain line every so often elsewhere.</summary>
/// <remarks>The line is written in one piece and never wider than the window; the cursor is not hidden, so nothing has to be restored however the
/// process ends.</remarks>
internal sealed class ConsoleProgress : ITrainingObserver
{
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Terminal _terminal;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _interval;
    private readonly bool _isLive;
    private RunStatus? _status;
    private long _lastShown;
    private long _lastShownStep;
    private bool _lineIsDrawn;
    private string? _look;
    private int _lookDone;
    private long _lookBegan, _lookShown;

    /// <param name="terminal">Progress goes to its <see cref="Terminal.Error"/>.</param>
    /// <param name="quiet">Plain lines even on a terminal.</param>
    /// <param name="plainInterval">Time between plain lines; 10 seconds if not given.</param>
    /// <param name="clock">Says how much time has passed.</param>
    public ConsoleProgress(Terminal terminal, bool quiet = false, TimeSpan? plainInterval = null, TimeProvider? clock = null)
    {
        (_terminal, _clock) = (terminal, clock ?? TimeProvider.System);
        _isLive = terminal.ErrorIsTerminal && !quiet;
        _interval = _isLive ? RedrawInterval : plainInterval ?? TimeSpan.FromSeconds(10);
    }

    public void OnStart(RunPlan plan)
    {
        lock (_gate)
        {
            _status = new RunStatus(plan);
            _lastShown = _clock.GetTimestamp() - (_isLive ? _clock.TimestampFrequency : 0);
            _lastShownStep = plan.FirstStep;
        }
    }

    public void OnStep(in StepReport step)
    {
        lock (_gate)
        {
            if (_status is null) return;
            _status.Add(step);
            if (_clock.GetElapsedTime(_lastShown) >= _interval) Show(_status);
        }
    }

    public void OnMeasures(int epoch, long step, IReadOnlyDictionary<string, double> measures)
    {
        if (MonitorReading.From(measures) is { } reading)
        {
            // Part of the line from now on: a reading every few steps is no line of its own.
            lock (_gate)
                if (_status is not null) _status.Read = (step, reading);
            return;
        }

        if (MonitorGlance.From(measures) is not null) return;
        var values = measures.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Key} {m.Value:G4}"));
        OnMessage($"after epoch {epoch.ToString(CultureInfo.InvariantCulture)}: {string.Join(", ", values)}");
    }

    /// <summary>Nothing is said of a look that takes less than two seconds.</summary>
    public void OnLook(string what, int done, int total)
    {
        lock (_gate)
        {
            if (what != _look || done <= _lookDone) (_look, _lookBegan, _lookShown) = (what, _clock.GetTimestamp(), 0);
            _lookDone = done;
            var waited = _lookShown == 0 ? LookInterval : _interval;
            if (_clock.GetElapsedTime(_lookShown == 0 ? _lookBegan : _lookShown) < waited) return;
            _lookShown = _clock.GetTimestamp();
            var line = string.Create(CultureInfo.InvariantCulture, $"{what}: {Math.Min(done, total):n0} of {total:n0} images");
            if (_isLive)
            {
                _terminal.Redraw(line);
                _lineIsDrawn = true;
            }
            else
            {
                _terminal.Error.WriteLine(line);
            }
        }
    }

    public void OnMessage(string text)
    {
        lock (_gate)
        {
            Erase();
            _terminal.Error.WriteLine(text);
            if (_isLive && _status is { HasSteps: true } status) Show(status);
        }
    }

    public void OnWarning(long step, string text) => OnMessage(string.Create(CultureInfo.InvariantCulture, $"warning at step {step}: {text}"));

    public void OnEnd(RunEnd end)
    {
        lock (_gate)
        {
            if (_status is { } status && status.Step != _lastShownStep) Show(status);
            if (_lineIsDrawn) _terminal.Error.WriteLine(); // the last line stays
            _lineIsDrawn = false;
            var how = end.Outcome switch { RunOutcome.Completed => "Done", RunOutcome.Stopped => "Stopped", _ => "Failed" };
            _terminal.Error.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{how} after {Quantity.Of(end.Step, "step")}, {ProgressLine.Duration(end.Elapsed)}."));
            _status = null;
        }
    }

    private void Show(RunStatus status)
    {
        (_lastShown, _lastShownStep) = (_clock.GetTimestamp(), status.Step);
        if (!_isLive)
        {
            _terminal.Error.WriteLine(ProgressLine.Plain(status));
            return;
        }

        _terminal.Redraw(ProgressLine.WithBar(status, _terminal.Width - 1));
        _lineIsDrawn = true;
    }

    private void Erase()
    {
        if (_lineIsDrawn) _terminal.Erase();
        _lineIsDrawn = false;
    }
}

/// <summary>Exponential moving average of the last so many values, right from the first (its weights always sum to one).</summary>
/// <param name="window">About how many of the last values count.</param>
internal sealed class SmoothedAverage(double window)
{
    private readonly double _keep = 1 - (1 / window);
    private double _sum, _weight;

    public double Value => _weight == 0 ? double.NaN : _sum / _weight;

    public void Add(double value)
    {
        _sum = (_keep * _sum) + ((1 - _keep) * value);
        _weight = (_keep * _weight) + (1 - _keep);
    }
}

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
