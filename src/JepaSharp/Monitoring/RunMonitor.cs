using JepaSharp.Data;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Measures;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Monitoring;

/// <summary>Takes readings of an objective's networks: what can be said of any encoder, and what the objective says of itself. Changes nothing: no
/// gradient, no random number, no weight.</summary>
public sealed class RunMonitor
{
    private readonly MonitorSample _sample;
    private readonly PixelScaling _scaling;

    /// <summary>A monitor over a sample.</summary>
    /// <param name="sample">What to look at.</param>
    /// <param name="scaling">The normalisation that the networks are trained with, and where they are.</param>
    public RunMonitor(MonitorSample sample, PixelScaling scaling) => (_sample, _scaling) = (sample, scaling);

    /// <summary>n, images that a reading looks at.</summary>
    public int Images => _sample.Count;

    /// <summary>Takes a reading.</summary>
    /// <param name="objective">The networks.</param>
    /// <param name="progress">Is told how many of <see cref="Images"/> were looked at.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Features are not finite.</exception>
    public MonitorReading Read(Objective objective, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(objective);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        List<Tensor> features = [], pooled = [];
        foreach (var batch in _sample.Batches)
        {
            cancellation.ThrowIfCancellationRequested();
            features.Add(Encode(objective, batch));
            pooled.Add(EncodedTokens.Pooled(features[^1], objective.Encoder.Shape));
            progress?.Report(features.Count * _sample.Batches[0].Count);
        }

        var collapse = CollapseMeasures.Of(FeatureMatrix.FromTensor(cat(pooled)));
        var own = objective.Measure(new MonitoredImages(_sample.Batches, _scaling, features, _sample.Size.MaskedImages, _sample.Seed));
        return MonitorReading.Of(own, collapse.RankMe, LidarOf(objective, cancellation), collapse.Deviation, collapse.MeanCosine);
    }

    /// <summary>Takes a glance: of one batch of the sample, another each time, so that no few images decide.</summary>
    /// <param name="objective">The networks.</param>
    /// <param name="turn">Which glance of the run this is, from 0.</param>
    public MonitorGlance Glance(Objective objective, long turn)
    {
        ArgumentNullException.ThrowIfNull(objective);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        // The last batch may be of a single image, beside which nothing can be seen to differ.
        IReadOnlyList<ImageBatch> batches =
            _sample.Batches.Count > 1 ? [.. _sample.Batches.Where(b => b.Count == _sample.Batches[0].Count)] : _sample.Batches;
        var batch = batches[(int)(turn % batches.Count)];
        var features = Encode(objective, batch);
        var collapse = CollapseMeasures.Of(FeatureMatrix.FromTensor(EncodedTokens.Pooled(features, objective.Encoder.Shape)));
        var own = objective.Measure(new MonitoredImages([batch], _scaling, [features], Masked: 0, _sample.Seed));
        return MonitorGlance.Of(own, collapse.RankMe, collapse.MeanCosine);
    }

    /// <summary>[B, N, D].</summary>
    private Tensor Encode(Objective objective, ImageBatch batch)
    {
        using var inner = NewDisposeScope();
        return objective.Encoder.forward(_scaling.ToImages(batch)).to(float32).MoveToOuterDisposeScope();
    }

    /// <summary>LiDAR of the encoder: every image a class, whose members are the features of what q training views leave of it; NaN where the
    /// objective has none.</summary>
    private double LidarOf(Objective objective, CancellationToken cancellation)
    {
        var rows = new List<Tensor>();
        foreach (var batch in _sample.Close)
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var images = _scaling.ToImages(batch);
            // Micro-batches of training are 0 and up: those below are nobody's.
            var parts = Enumerable.Range(1, _sample.Size.Views)
                .Select(view => objective.EncodePart(images, batch.Indices, Step.Untracked(_sample.Seed, -view))).ToList();
            if (parts.Exists(p => p is null)) return double.NaN;
            rows.Add(stack([.. parts.Select(p => p!)], 1).flatten(0, 1).MoveToOuterDisposeScope());
        }

        return Lidar.Of(FeatureMatrix.FromTensor(cat(rows)), _sample.Size.Views);
    }
}
