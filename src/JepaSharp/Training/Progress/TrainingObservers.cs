namespace JepaSharp.Training.Progress;

/// <summary>Passes everything on to several observers, in order, and disposes of them with itself.</summary>
/// <remarks>
/// A file that cannot be written for a while (a full disk, a lost network share) must not end days of training: an observer's
/// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> is said once, through the messages of the others, and so is its recovery.
/// Any other exception is a mistake in the program and is let through.
/// </remarks>
/// <param name="observers">Whom to tell.</param>
public sealed class TrainingObservers(params IReadOnlyList<ITrainingObserver> observers) : ITrainingObserver, IDisposable
{
    // A signal's message comes from a thread of its own.
    private readonly Lock _gate = new();
    private readonly HashSet<ITrainingObserver> _failing = new(ReferenceEqualityComparer.Instance);

    /// <inheritdoc/>
    public void OnStart(RunPlan plan) => TellAll(o => o.OnStart(plan));

    /// <inheritdoc/>
    public void OnStep(in StepReport step)
    {
        var copy = step;
        TellAll(o => o.OnStep(copy));
    }

    /// <inheritdoc/>
    public void OnMeasures(int epoch, long step, IReadOnlyDictionary<string, double> measures) => TellAll(o => o.OnMeasures(epoch, step, measures));

    /// <inheritdoc/>
    public void OnLook(string what, int done, int total) => TellAll(o => o.OnLook(what, done, total));

    /// <inheritdoc/>
    public void OnMessage(string text) => TellAll(o => o.OnMessage(text));

    /// <inheritdoc/>
    public void OnWarning(long step, string text) => TellAll(o => o.OnWarning(step, text));

    /// <inheritdoc/>
    public void OnCheckpoint(long step) => TellAll(o => o.OnCheckpoint(step));

    /// <inheritdoc/>
    public void OnEnd(RunEnd end) => TellAll(o => o.OnEnd(end));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var observer in observers.OfType<IDisposable>()) observer.Dispose();
    }

    private void TellAll(Action<ITrainingObserver> tell)
    {
        using var held = _gate.EnterScope();
        foreach (var observer in observers)
        {
            try
            {
                tell(observer);
                if (_failing.Count > 0 && observer is IRecord record && !record.HasUnwritten && _failing.Remove(observer))
                    Announce($"{record.Path} is written again.");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (_failing.Add(observer))
                    Announce($"{(observer as IRecord)?.Path ?? "A record"} cannot be written: {e.Message} Training goes on, and it is tried again.");
            }
        }
    }

    private void Announce(string text)
    {
        foreach (var other in observers.Where(o => !_failing.Contains(o) && o is not IRecord)) other.OnMessage(text);
    }
}

/// <summary>An observer that keeps a file.</summary>
internal interface IRecord : ITrainingObserver
{
    /// <summary>The file.</summary>
    string Path { get; }

    /// <summary>Whether something observed is not yet in the file.</summary>
    bool HasUnwritten { get; }
}
