using JepaSharp.Configuration;

namespace JepaSharp.Training.Progress;

/// <summary>The files that a run keeps about itself: metrics.csv, measures.csv, warnings.txt where there are any and, where wanted, TensorBoard
/// events.</summary>
public static class RunRecords
{
    /// <summary>Starts the records of a new run.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="logging">What is wanted.</param>
    /// <param name="numbers">What the objective reports beside the loss, by name.</param>
    /// <param name="clock">Gives the times.</param>
    /// <exception cref="Runtime.JepaException">One exists already.</exception>
    /// <exception cref="IOException">One cannot be written.</exception>
    public static IReadOnlyList<ITrainingObserver> Create(RunFolder folder, LoggingOptions logging, IReadOnlyList<string> numbers,
        TimeProvider? clock = null) =>
    [
        MetricsCsv.Create(folder.Metrics, numbers, clock), MeasuresCsv.Create(folder.Measures, clock), WarningsFile.Create(folder.Warnings),
        .. Events(folder, logging, numbers, null, clock),
    ];

    /// <summary>Goes on with the records of a run that is resumed after <paramref name="step"/> steps; what they hold of later steps is
    /// dropped.</summary>
    /// <exception cref="Runtime.JepaException">One has other columns.</exception>
    /// <exception cref="IOException">One cannot be written.</exception>
    public static IReadOnlyList<ITrainingObserver> Resume(RunFolder folder, LoggingOptions logging, IReadOnlyList<string> numbers, long step,
        TimeProvider? clock = null) =>
    [
        MetricsCsv.Resume(folder.Metrics, numbers, step, clock), MeasuresCsv.Resume(folder.Measures, step, clock),
        WarningsFile.Resume(folder.Warnings, step),
        .. Events(folder, logging, numbers, step, clock),
    ];

    private static IEnumerable<ITrainingObserver> Events(
        RunFolder folder, LoggingOptions logging, IReadOnlyList<string> numbers, long? resumedAfter, TimeProvider? clock) =>
        logging.Tensorboard ? [new TensorBoardEvents(folder.Path, resumedAfter, clock, logging.LogEvery, numbers)] : [];
}
