using JepaSharp.Data.Loading;
using JepaSharp.Evaluation.FineTuning;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Reports;
using JepaSharp.Runtime;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

namespace JepaSharp.Runs;

/// <summary>Fine-tuning as a training run like any other, at the end of which stands a classifier.</summary>
/// <remarks>Takes nothing to score on, so a test image cannot be trained on; nothing is chosen and there is no early stopping.</remarks>
public static class FineTuningRun
{
    private const string Fit = "fit images";

    /// <summary>Trains a copy of an encoder, and a head.</summary>
    /// <param name="request">What to train, on what, and how.</param>
    /// <param name="folder">The run's folder: a new one, or a run to go on with. Null: nothing is kept on the way.</param>
    /// <param name="observer">Is told everything that happens.</param>
    /// <param name="stop">Finishes the step, then stops.</param>
    /// <returns>The averaged weights, as a classifier.</returns>
    /// <exception cref="JepaException">
    /// One class only, too many unreadable images, numbers that are not finite, or a run in the folder that was begun with another recipe.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was stopped; with a folder, the same call goes on.</exception>
    public static FineTunedClassifier Run(
        FineTuningRequest request, RunFolder? folder = null, ITrainingObserver? observer = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        observer ??= new Silence();
        var device = request.Device ?? CPU;
        var objective = new FineTuning(request.Start, request.Fit.Labels, request.Fit.Classes, request.Size, request.Recipe, device);
        using var trainer = new Trainer(request.ToOptions(), request.Fit.Source, objective, device, request.Precision);
        var records = folder is null ? [] : Open(folder, trainer, request, observer);
        try
        {
            var end = trainer.Run(folder, new TrainingObservers([.. records, observer]), stop: stop);
            var untrained = folder is null
                ? UntrainedImages.Counted(Fit, trainer.Unreadable, trainer.Source)
                : UntrainedImages.Write(trainer, folder.Path, Fit)?.LeftOut;
            return end.Outcome == RunOutcome.Completed
                ? Classifier(objective, request, device, untrained)
                : throw new OperationCanceledException($"Fine-tuning was stopped after step {end.Step} of {trainer.TotalSteps}.", stop);
        }
        catch (NumericalException e)
        {
            throw new JepaException($"Fine-tuning failed. {e.Message} The recipe's own names: LearningRate (--lr), Clip (--clip).", inner: e);
        }
        finally
        {
            foreach (var record in records.OfType<IDisposable>()) record.Dispose();
        }
    }

    /// <summary>Begins the run, or goes back to where it was left.</summary>
    private static IReadOnlyList<ITrainingObserver> Open(RunFolder folder, Trainer trainer, FineTuningRequest request, ITrainingObserver observer)
    {
        var (facts, logging) = (FineTuningFacts.Of(request), trainer.Plan.Options.Logging);
        if (!RunFolder.HoldsRun(folder.Path))
        {
            trainer.Begin(folder, trainer.Plan.Options.ToYaml());
            facts.Write(folder.Path);
            Machine(folder, request);
            return RunRecords.Create(folder, logging, trainer.Objective.Numbers);
        }

        facts.RequireSame(folder.Path);
        foreach (var notice in trainer.Resume(folder)) observer.OnMessage(notice);
        Machine(folder, request);
        return RunRecords.Resume(folder, logging, trainer.Objective.Numbers, trainer.Step.State.StepCount);
    }

    private static void Machine(RunFolder folder, FineTuningRequest request)
    {
        RunMachine.Here((request.Device ?? CPU).ToString(), request.Precision.Words, request.Fit.Source.Description, request.Fit.Source.Count)
            .Write(folder.Path);
    }

    /// <summary>Copies of the averages, so that all the rest of the training can go.</summary>
    private static FineTunedClassifier Classifier(FineTuning objective, FineTuningRequest request, Device device, LeftOutImages? untrained)
    {
        var shape = objective.Encoder.Shape;
        var (encoder, head) = (new VisionTransformer(shape, device), new LinearHead(shape.Width, objective.Head.Outputs, device));
        FineTuning.Copy(objective.Encoder, encoder);
        FineTuning.Copy(objective.Head, head);
        encoder.ComputeIn(request.Precision);
        return new FineTunedClassifier(encoder, head, request.Normalization, device) { LeftOut = untrained };
    }

    private sealed class Silence : ITrainingObserver;
}
