using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.FineTuning;

/// <summary>Trains an encoder further on labelled images, with a linear head on the average of its patches.</summary>
/// <remarks>
/// The recipe of MAE (He et al., 2022, appendix A.1): AdamW with layer-wise learning-rate decay, linear warm-up and cosine, random crops and flips, mixup and CutMix,
/// label smoothing; and a moving average of the weights, which is what is scored. Deviations: no RandAugment and no drop path; the encoder's own last norm is kept, before the average. It
/// takes nothing to score on, so a test image cannot be trained on; nothing is chosen and there is no early stopping.
/// </remarks>
public static class FineTuner
{
    private const double FinalLearningRate = 1e-6;

    /// <summary>Trains a copy; <paramref name="start"/> is not changed.</summary>
    /// <param name="start">The encoder to begin with.</param>
    /// <param name="scaling">The normalisation that it was trained with; must outlive the classifier.</param>
    /// <param name="fit">What to train on.</param>
    /// <param name="size">H = W of the crops in pixels.</param>
    /// <param name="device">Where to train.</param>
    /// <param name="options">The recipe.</param>
    /// <param name="precision">Of the encoder's matrix products: float32 or bfloat16. Weights, moments, averages and the head are float32 always.</param>
    /// <param name="progress">Is told how many images were trained on.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <exception cref="JepaException">One class only, too many unreadable images, or a loss that is not finite.</exception>
    public static FineTunedClassifier Fit(
        VisionTransformer start, PixelScaling scaling, LabelledImages fit, int size, Device device, FineTuneOptions options,
        ScalarType precision = ScalarType.Float32, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        if (fit.Labels.Distinct().Count() < 2) throw new JepaException("All images to train on are of one class: there is nothing to tell apart. Expected at least 2 classes.", isUsage: true);
        var loader = new ImageLoader(fit.Source, new ImageLoaderOptions
        {
            BatchSize = Math.Min(options.BatchSize, fit.Source.Count),
            Seed = options.Seed,
            Views =
            [
                new View("image", new TrainingTransform
                {
                    CropSize = size,
                    Crop = new RandomResizedCrop { MinScale = options.CropScale },
                    Filter = ResampleFilter.Bicubic,
                    UseHorizontalFlip = options.Flip,
                }),
            ],
        });
        var model = new FineTunedClassifier(start, scaling, fit.Classes, device, options.Seed, precision);
        try
        {
            Train(model, start.Shape.Depth, loader, fit, options, progress, cancellation);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static void Train(
        FineTunedClassifier model, int depth, ImageLoader loader, LabelledImages fit, FineTuneOptions options, IProgress<int>? progress, CancellationToken cancellation)
    {
        using var optimizer = new LayerwiseAdamW(model.Parameters(), depth, options.LayerDecay);
        var steps = (long)options.Epochs * loader.BatchesPerEpoch;
        var warmup = Math.Min(options.WarmupEpochs * loader.BatchesPerEpoch, steps / 10.0);
        var (step, images) = (0L, 0);
        for (var epoch = 0; epoch < options.Epochs; epoch++)
        {
            foreach (var batch in loader.Epoch(epoch, cancellation: cancellation))
            {
                cancellation.ThrowIfCancellationRequested();
                var random = new RandomStream(options.Seed, RandomPurpose.Evaluation, epoch, images);
                var loss = Backward(model, batch.Single(), fit, options, ref random);
                if (!double.IsFinite(loss)) throw new JepaException($"Fine-tuning failed at step {step + 1}: the loss is {loss}. Use a lower --lr.");
                var peak = options.LearningRate * batch.Count / 256;
                optimizer.Step(Rate(step, steps, warmup, peak), options.WeightDecay, options.Average);
                model.Refresh();
                step++;
                progress?.Report(images += batch.Count);
            }
        }

        optimizer.UseAverage();
        model.Refresh();
        foreach (var (_, parameter) in model.Parameters()) parameter.requires_grad = false;
    }

    /// <summary>Linear from 0 during warm-up, then a cosine.</summary>
    internal static double Rate(long step, long steps, double warmup, double peak) => step < warmup
        ? peak * (step + 1) / (warmup + 1)
        : FinalLearningRate + ((peak - FinalLearningRate) * 0.5 * (1 + Math.Cos(Math.PI * (step - warmup) / Math.Max(1, steps - warmup))));

    /// <summary>Cross-entropy with the mixed, smoothed targets; leaves gradients behind.</summary>
    private static double Backward(FineTunedClassifier model, ImageBatch batch, LabelledImages fit, FineTuneOptions options, ref RandomStream random)
    {
        using var scope = NewDisposeScope();
        Tensor images, targets;
        using (no_grad())
        {
            images = model.ToImages(batch);
            targets = Smoothed(batch, fit, options.Smoothing).to(images.device);
            (images, targets) = BatchMixing.Apply(images, targets, options, ref random);
        }

        return model.AddGradients(images, targets);
    }

    /// <summary>1 - s + s/K for the class, s/K for the others: [B, K].</summary>
    private static Tensor Smoothed(ImageBatch batch, LabelledImages fit, double smoothing)
    {
        var targets = new float[batch.Count * fit.Classes];
        targets.AsSpan().Fill((float)(smoothing / fit.Classes));
        for (var i = 0; i < batch.Count; i++) targets[(i * fit.Classes) + fit.Labels[batch.Indices[i]]] += (float)(1 - smoothing);
        return tensor(targets, [batch.Count, fit.Classes]);
    }
}
