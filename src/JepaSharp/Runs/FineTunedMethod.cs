using JepaSharp.Evaluation.Heads;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training.Progress;

namespace JepaSharp.Runs;

/// <summary>A head that is trained together with a copy of its encoder (<see cref="FineTuningRun"/>).</summary>
/// <param name="requestOf">What to train on given images.</param>
/// <param name="transform">How an image is brought to size when it is read.</param>
/// <param name="observer">Is told everything that happens, of every training.</param>
public sealed class FineTunedMethod(
    Func<LabelledImages, FineTuningRequest> requestOf, HeadTransform transform, ITrainingObserver? observer = null) : HeadMethod
{
    /// <inheritdoc/>
    public override string Kind => HeadKinds.FineTuned;

    /// <inheritdoc/>
    public override HeadModel Fit(HeadImages fit, IReadOnlyDictionary<string, double>? settings, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(fit);
        var request = requestOf(fit.Images);
        if (request.Start.Shape.AveragesBeforeNorm)
            throw new JepaException(
                "A fine-tuned head cannot be kept for this encoder: it averages its patches before the final norm when it is frozen, and after it "
                    + "when it is fine-tuned. Use linear, logistic or knn.", isUsage: true);
        var tuned = FineTuningRun.Run(request, observer: observer, stop: cancellation);
        return HeadModel.Of(tuned, request.Normalization, transform.ToTransform(), request.Device ?? TorchSharp.torch.CPU, Settings(request.Recipe));
    }

    private static Dictionary<string, double> Settings(FineTuneOptions options) => new()
    {
        ["learning_rate"] = options.LearningRate,
        ["layer_decay"] = options.LayerDecay,
        ["epochs"] = options.Epochs,
    };
}
