using System.Diagnostics;
using JepaSharp.Cli.Display;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runs;
using JepaSharp.Training;

namespace JepaSharp.Cli.Evaluation;

/// <summary>Fine-tunes an encoder and scores it.</summary>
internal static class FineTuneRow
{
    private const double HeldOutShare = 0.2;

    /// <summary>Trains on all of <paramref name="fit"/>, then scores on <paramref name="test"/>.</summary>
    /// <param name="session">Encoder, transform, device.</param>
    /// <param name="start">The encoder to begin with.</param>
    /// <param name="name">What to call it.</param>
    /// <param name="fit">What to train on.</param>
    /// <param name="test">What to score on.</param>
    /// <param name="options">The recipe.</param>
    /// <param name="holdOut">Whether a training on four fifths is scored on the rest first, to compare with other methods.</param>
    /// <param name="terminal">For progress.</param>
    /// <param name="stop">Stops between steps.</param>
    /// <param name="folder">Where the training on all of <paramref name="fit"/> is kept; null for nowhere.</param>
    public static ResultRow Of(
        EvaluationSession session, VisionTransformer start, string name, LabelledImages fit, LabelledImages test, FineTuneOptions options,
        bool holdOut,
        Terminal terminal, StopSignals stop, RunFolder? folder = null)
    {
        var clock = Stopwatch.StartNew();
        double? heldOut = null;
        if (holdOut)
        {
            var split = HeldOutSplit.ByClass(fit.Labels, fit.Classes, HeldOutShare, (ulong)options.Seed);
            heldOut = Score(session, start, fit.Select(split.Fit), fit.Select(split.HeldOut), "held-out images", options, terminal, stop, null)
                .Accuracy;
        }

        var score = Score(session, start, fit, test, EvaluationSession.TestSet, options, terminal, stop, folder);
        return new ResultRow
        {
            Features = name,
            Probe = "fine-tuned",
            Scores = ResultRow.ScoresOf(score),
            Settings = new Dictionary<string, double>
            {
                ["learning_rate"] = options.LearningRate,
                ["layer_decay"] = options.LayerDecay,
                ["epochs"] = options.Epochs
            },
            HeldOut = heldOut,
            Seconds = clock.Elapsed.TotalSeconds,
        };
    }

    private static ClassificationScore Score(
        EvaluationSession session, VisionTransformer start, LabelledImages fit, LabelledImages scored, string set, FineTuneOptions options,
        Terminal terminal, StopSignals stop, RunFolder? folder)
    {
        var request = new FineTuningRequest
        {
            Start = start,
            Normalization = session.Loaded.Normalization,
            Fit = fit,
            Size = session.Transform.Size,
            Recipe = options,
            Device = session.Device,
            Precision = session.Training.Computation,
            Address = session.Images.FitAddress,
        };
        using var tuned = FineTuningRun.Run(request, folder, new RunProgress(terminal, "fine-tuning"), stop.Token);
        session.Say(tuned.LeftOut);
        var score = tuned.Score(scored, session.Transform, session.Request.Batch, set, stop.Token);
        session.Say(score.LeftOut);
        return score;
    }
}
