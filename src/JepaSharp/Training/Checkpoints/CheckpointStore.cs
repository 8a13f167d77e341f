using System.Globalization;
using JepaSharp.Configuration;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;

namespace JepaSharp.Training.Checkpoints;

/// <summary>Writes a run's checkpoints while it trains: copied between two steps, written by a thread of its own, at most one at a time.</summary>
/// <remarks>
/// A disk that is full, read-only or gone does not end a run: it is said once, tried again every minute, and said when it works again. Only a
/// run that ends without its last checkpoint on disk has failed. Everything here is called on the training thread.
/// </remarks>
internal sealed class CheckpointStore(Trainer run, RunFolder folder, LoggingOptions logging, ITrainingObserver observer, TimeProvider? clock = null)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly CheckpointFolders _folders = new(folder);
    private Task<bool>? _writing;
    private long _writingStep;
    private long _written = -1;
    private string? _failure;
    private long _failedAt;

    /// <summary>After a step: writes what is due, and says what became of the last writing.</summary>
    /// <param name="finishedEpochs">Epochs finished with this step; null in the middle of one.</param>
    /// <exception cref="Exception">A writer failed for another reason than the disk.</exception>
    public void AfterStep(int? finishedEpochs)
    {
        if (_writing is { IsCompleted: true }) Settle();
        if (finishedEpochs is { } epochs && epochs % logging.CheckpointEvery == 0)
        {
            Settle();
            Start(epochs);
        }
        else if (_writing is null && (IsDueWithinEpoch() || IsDueAgain()))
        {
            Start(null);
        }
    }

    /// <summary>Writes the checkpoint of the last step, unless it is there, and waits for it.</summary>
    /// <exception cref="JepaException">It cannot be written.</exception>
    public void Finish()
    {
        Settle();
        if (_written == run.Step.State.StepCount && _failure is null) return;
        Start(null);
        Settle();
        if (_failure is not null)
            throw new JepaException(
                string.Create(
                    CultureInfo.InvariantCulture, $"The last checkpoint, of step {run.Step.State.StepCount:n0}, could not be written: {_failure} ")
                + $"{NewestOnDisk()} Make room, and go on from there: jepa pretrain --resume --out {folder.Path}");
    }

    /// <summary>Waits for the writing that goes on, whatever becomes of it.</summary>
    public void Abandon() => _ = _writing?.ContinueWith(_ => { }, TaskScheduler.Default).Wait(Timeout.InfiniteTimeSpan);

    private bool IsDueWithinEpoch() => logging.CheckpointSteps is { } every && run.Step.State.StepCount % every == 0;

    private bool IsDueAgain() => _failure is not null && _clock.GetElapsedTime(_failedAt) >= RetryInterval;

    private void Start(int? epochs)
    {
        // The records first: a resume must never find a checkpoint that is ahead of them.
        observer.OnCheckpoint(run.Step.State.StepCount);
        _writingStep = run.Step.State.StepCount;
        var isRoomy = MachineMemory.Detect().AvailableBytes > CheckpointSnapshot.BytesOf(run.Step.State) * 5 / 4;
        var snapshot = isRoomy ? CheckpointSnapshot.Take(run.Step.State, run.State, run.Metadata) : CheckpointSnapshot.View(
            run.Step.State, run.State, run.Metadata);
        _writing =
            Task.Factory.StartNew(() => Write(snapshot, epochs), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (!isRoomy) Settle();
    }

    /// <returns>Whether the run's folder had to be made again.</returns>
    private bool Write(CheckpointSnapshot snapshot, int? epochs)
    {
        using (snapshot)
        {
            var again = folder.MakeAgainIfGone();
            _folders.WriteLatest(snapshot);
            if (epochs is { } finished) _folders.KeepEpoch(finished, logging);
            return again;
        }
    }

    private void Settle()
    {
        if (_writing is not { } writing) return;
        _writing = null;
        try
        {
            if (writing.GetAwaiter().GetResult())
                observer.OnMessage($"The run's folder was gone and was made again: {folder.Path}. What it held before is lost; training goes on.");
            if (_failure is not null)
                observer.OnMessage(string.Create(CultureInfo.InvariantCulture, $"Checkpoints are written again: step {_writingStep:n0}."));
            (_failure, _written) = (null, _writingStep);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JepaException)
        {
            if (_failure is null)
                observer.OnMessage(string.Create(CultureInfo.InvariantCulture,
                    $"The checkpoint of step {_writingStep:n0} cannot be written: {e.Message} Training goes on, and it is tried again. "
                        + $"{NewestOnDisk()}"));
            (_failure, _failedAt) = (e.Message, _clock.GetTimestamp());
        }
    }

    private string NewestOnDisk()
    {
        try
        {
            var newest = NewestCheckpoint.Of(folder).Path;
            return string.Create(CultureInfo.InvariantCulture, $"The newest on disk is of step {CheckpointState.Read(newest).Step:n0}: {newest}.");
        }
        catch (Exception e) when (e is JepaException or IOException or UnauthorizedAccessException)
        {
            return "None is on disk.";
        }
    }
}
