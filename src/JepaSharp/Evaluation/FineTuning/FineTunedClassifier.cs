using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Evaluation.Targets;
using JepaSharp.Models;
using JepaSharp.Models.Accelerated;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace JepaSharp.Evaluation.FineTuning;

/// <summary>An encoder with a linear head on the average of its patches.</summary>
public sealed class FineTunedClassifier : IDisposable
{
    private const double HeadDeviation = 0.01;

    private readonly VisionTransformer _encoder;
    private readonly FlatParameters _flat;
    private readonly Parameter _weight, _bias;
    private readonly PixelScaling _scaling;
    private readonly int _classes;

    internal FineTunedClassifier(VisionTransformer start, PixelScaling scaling, int classes, Device device, ulong seed, ScalarType precision)
    {
        (_scaling, _classes, _encoder) = (scaling, classes, new VisionTransformer(start.Shape, device)); // outside a scope: its parameters have to stay
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var trained = start.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, parameter) in _encoder.named_parameters()) _ = parameter.copy_(trained[name]);
        _flat = new FlatParameters(_encoder, trained: true);
        _flat.ComputeIn(precision);
        var weight = empty([classes, start.Shape.Width], float32, device);
        Initialization.TruncatedNormal_(weight, HeadDeviation, 2, new RandomStream(seed, RandomPurpose.Evaluation, epoch: -1).NextUInt64());
        _weight = new Parameter(weight.MoveToOuterDisposeScope().DetachFromDisposeScope());
        _bias = new Parameter(zeros([classes], float32, device).DetachFromDisposeScope());
        _weight.DetachFromDisposeScope();
        _bias.DetachFromDisposeScope();
    }

    /// <summary>All that is trained, by name; the head's begin with "head".</summary>
    internal IEnumerable<(string Name, Parameter Parameter)> Parameters() => [.. _encoder.named_parameters(), ("head.weight", _weight), ("head.bias", _bias)];

    /// <summary>Normalised images [B, C, H, W] -> logits [B, classes].</summary>
    internal Tensor Forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return nn.functional.linear(_encoder.forward(images).to(float32).mean([1]), _weight, _bias).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the gradients of the cross-entropy with <paramref name="targets"/> to the parameters', and returns it.</summary>
    /// <param name="images">Normalised pixels [B, C, H, W].</param>
    /// <param name="targets">What each class should be given [B, classes]; each row sums to 1.</param>
    internal double AddGradients(Tensor images, Tensor targets)
    {
        using var scope = NewDisposeScope();
        using var tape = GradientTape.Start();
        var loss = (nn.functional.log_softmax(Forward(images), 1) * targets).sum().Times(-1.0 / images.shape[0]);
        tape.Backward(loss, mark: 0);
        _flat.CollectGradients();
        return loss.item<float>();
    }

    /// <summary>To be called after the parameters have changed.</summary>
    internal void Refresh() => _flat.RefreshWorkingCopy();

    internal Tensor ToImages(ImageBatch batch) => _scaling.ToImages(batch);

    /// <summary>How often it is right on images that it was not trained on.</summary>
    /// <param name="test">The images.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="batchSize">Images a pass.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Too many images cannot be read.</exception>
    public ClassificationScore Score(LabelledImages test, EvaluationTransform transform, int batchSize = 64, CancellationToken cancellation = default)
    {
        var (predicted, truth) = (new List<int>(test.Labels.Length), new List<int>(test.Labels.Length));
        using var untracked = no_grad();
        foreach (var batch in new ImageReader(test.Source, transform, batchSize).Read(cancellation))
        {
            using var scope = NewDisposeScope();
            var labels = Forward(ToImages(batch)).argmax(1).cpu().data<long>().ToArray();
            predicted.AddRange(labels.Select(label => (int)label));
            truth.AddRange(batch.Indices.Take(batch.Count).Select(i => test.Labels[i]));
        }

        return ClassificationScore.Of(predicted.ToArray(), truth.ToArray(), _classes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _flat.Dispose();
        _encoder.Dispose();
        _weight.Dispose();
        _bias.Dispose();
    }
}
