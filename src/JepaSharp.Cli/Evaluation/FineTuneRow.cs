using System.Diagnostics;
using JepaSharp.Cli.Display;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.FineTuning;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Evaluation.Tasks;
using JepaSharp.Models;

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
    public static ResultRow Of(
        EvaluationSession session, VisionTransformer start, string name, LabelledImages fit, LabelledImages test, FineTuneOptions options, bool holdOut, Terminal terminal, StopSignals stop)
    {
        var clock = Stopwatch.StartNew();
        double? heldOut = null;
        if (holdOut)
        {
            var split = HeldOutSplit.ByClass(fit.Labels, fit.Classes, HeldOutShare, options.Seed);
            heldOut = Score(session, start, fit.Select(split.Fit), fit.Select(split.HeldOut), options, terminal, stop).Accuracy;
        }

        var score = Score(session, start, fit, test, options, terminal, stop);
        return new ResultRow
        {
            Features = name,
            Probe = "fine-tuned",
            Scores = ResultRow.ScoresOf(score),
            Settings = new Dictionary<string, double> { ["learning_rate"] = options.LearningRate, ["layer_decay"] = options.LayerDecay, ["epochs"] = options.Epochs },
            HeldOut = heldOut,
            Seconds = clock.Elapsed.TotalSeconds,
        };
    }

    private static ClassificationScore Score(
        EvaluationSession session, VisionTransformer start, LabelledImages fit, LabelledImages scored, FineTuneOptions options, Terminal terminal, StopSignals stop)
    {
        var progress = new RateProgress(terminal, "fine-tuning", "images", options.Epochs * fit.Labels.Length, 0);
        try
        {
            using var tuned = FineTuner.Fit(start, session.Scaling, fit, session.Transform.Size, session.Device, options, session.Precision.ScalarType, progress, stop.Token);
            return tuned.Score(scored, session.Transform, session.Request.Batch, stop.Token);
        }
        finally
        {
            progress.Finish();
        }
    }
}
