namespace JepaSharp.Training.Progress;

/// <summary>Is told what happens in a run, on the training thread, in order. Every member has an empty default.</summary>
public interface ITrainingObserver
{
    /// <summary>Before the first step of this process.</summary>
    void OnStart(RunPlan plan)
    {
    }

    /// <summary>After a step. Must be quick: training waits for it.</summary>
    void OnStep(in StepReport step)
    {
    }

    /// <summary>When something was measured beside the loss: RankMe, a probe's accuracy.</summary>
    /// <param name="epoch">Epochs finished.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="measures">Values by name, in the order to show them.</param>
    void OnMeasures(int epoch, long step, IReadOnlyDictionary<string, double> measures)
    {
    }

    /// <summary>While something is measured beside the training, which waits for it.</summary>
    /// <param name="what">What is looked at.</param>
    /// <param name="done">Images looked at so far.</param>
    /// <param name="total">How many there will be.</param>
    void OnLook(string what, int done, int total)
    {
    }

    /// <summary>A sentence for the person watching.</summary>
    void OnMessage(string text)
    {
    }

    /// <summary>Something is going wrong with the run. Said once.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="text">What was seen, and what to change.</param>
    void OnWarning(long step, string text)
    {
    }

    /// <summary>
    /// Just before a checkpoint gets its real name: whatever was observed up to <paramref name="step"/> must be on disk on return,
    /// so that a resume never finds a checkpoint that is ahead of the records.
    /// </summary>
    void OnCheckpoint(long step)
    {
    }

    /// <summary>After the last step of this process, however it ended.</summary>
    void OnEnd(RunEnd end)
    {
    }
}

/// <summary>What a run is about to do.</summary>
/// <param name="Model">What a person would call the model.</param>
/// <param name="Epochs">Epochs of the whole run.</param>
/// <param name="IterationsPerEpoch">Steps in an epoch.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="FirstStep">Steps already done when this process began: 0 for a new run.</param>
/// <param name="BatchSize">B, images a step.</param>
/// <param name="Numbers">What each step reports beside the loss, by name.</param>
public sealed record RunPlan(
    string Model, int Epochs, int IterationsPerEpoch, long TotalSteps, long FirstStep, int BatchSize, IReadOnlyList<string> Numbers);

/// <summary>How a run ended.</summary>
/// <param name="Outcome">Whether all steps were made.</param>
/// <param name="Step">Steps done since the run began.</param>
/// <param name="Elapsed">Wall-clock time of this process's part of the run.</param>
public sealed record RunEnd(RunOutcome Outcome, long Step, TimeSpan Elapsed);

/// <summary>Whether a run made all its steps.</summary>
public enum RunOutcome
{
    /// <summary>All steps were made.</summary>
    Completed,

    /// <summary>The user or the system asked it to stop, and it can be resumed.</summary>
    Stopped,

    /// <summary>It could not go on.</summary>
    Failed,
}
