using JepaSharp.Data;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Measures;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Monitoring;

/// <summary>Takes readings of a run's networks. Changes nothing: no gradient, no random number, no weight.</summary>
public sealed class RunMonitor
{
    // The objective normalises targets so, before it compares: see ImageJepa.
    private const double TargetEpsilon = 1e-5;

    private readonly MonitorSample _sample;
    private readonly PixelScaling _scaling;
    private readonly Device _device;

    /// <summary>A monitor over a sample.</summary>
    /// <param name="sample">What to look at.</param>
    /// <param name="scaling">The normalisation that the networks are trained with.</param>
    /// <param name="device">Where the networks are.</param>
    public RunMonitor(MonitorSample sample, PixelScaling scaling, Device device) => (_sample, _scaling, _device) = (sample, scaling, device);

    /// <summary>Takes a reading.</summary>
    /// <param name="objective">The networks.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="JepaException">Features are not finite.</exception>
    public MonitorReading Read(ImageJepa objective, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(objective);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (patches, pooled) = EncodeAll(objective, cancellation);
        var constant = ConstantPredictor.Fit(patches.flatten(0, 1), objective.LossFunction);
        var constants = ConstantPredictor.Fit(patches, objective.LossFunction);
        var losses = MeanLosses(objective, patches, constant, constants);
        var collapse = CollapseMeasures.Of(pooled);
        return new MonitorReading(losses.Real, losses.Constant, losses.Position, collapse.RankMe, LidarOf(objective), collapse.Deviation, collapse.MeanCosine);
    }

    /// <summary>Takes a glance: of one batch of the sample, another each time, so that no few images decide.</summary>
    /// <param name="objective">The networks.</param>
    /// <param name="turn">Which glance of the run this is, from 0.</param>
    public MonitorGlance Glance(ImageJepa objective, long turn)
    {
        ArgumentNullException.ThrowIfNull(objective);
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        // The last batch may be of a single image, beside which nothing can be seen to differ.
        IReadOnlyList<ImageBatch> batches = _sample.Batches.Count > 1 ? [.. _sample.Batches.Where(b => b.Count == _sample.Batches[0].Count)] : _sample.Batches;
        var (patches, _) = Encode(objective, batches[(int)(turn % batches.Count)]);
        var all = patches.flatten(0, 1);
        var constant = ConstantPredictor.Fit(all, objective.LossFunction);
        var constants = ConstantPredictor.Fit(patches, objective.LossFunction);
        return new MonitorGlance(
            objective.Distance(constant.expand_as(all), all).item<float>(),
            objective.Distance(constants.expand_as(patches), patches).item<float>());
    }

    /// <summary>All targets [n, N, D], normalised as the objective does, and the mean of each image's features [n, D].</summary>
    private (Tensor Patches, FeatureMatrix Pooled) EncodeAll(ImageJepa objective, CancellationToken cancellation)
    {
        List<Tensor> patches = [], pooled = [];
        foreach (var batch in _sample.Batches)
        {
            cancellation.ThrowIfCancellationRequested();
            var (targets, means) = Encode(objective, batch);
            patches.Add(targets);
            pooled.Add(means);
        }

        return (cat(patches), FeatureMatrix.FromTensor(cat(pooled)));
    }

    /// <summary>Targets of a batch [B, N, D], normalised as the objective does, and the mean of each image's features [B, D].</summary>
    private (Tensor Targets, Tensor Pooled) Encode(ImageJepa objective, ImageBatch batch)
    {
        using var inner = NewDisposeScope();
        var features = objective.TargetEncoder.forward(_scaling.ToImages(batch)).to(float32);
        var targets = nn.functional.layer_norm(features, [features.shape[^1]], eps: TargetEpsilon);
        return (targets.MoveToOuterDisposeScope(), features.mean([1L]).MoveToOuterDisposeScope());
    }

    /// <summary>Over the same target patches: the objective's loss, that of one constant [D], and that of one a position [N, D].</summary>
    private (double Real, double Constant, double Position) MeanLosses(ImageJepa objective, Tensor patches, Tensor constant, Tensor constants)
    {
        double real = 0, best = 0, position = 0;
        var (first, images) = (0L, 0);
        foreach (var (batch, views) in _sample.Batches.Zip(_sample.Views))
        {
            using var inner = NewDisposeScope();
            using var masks = JepaMasks.Of(views[0], _device);
            var targets = patches.narrow(0, first, batch.Count).flatten(0, 1).index_select(0, masks.Targets.Rows);
            real += batch.Count * objective.Loss(_scaling.ToImages(batch), masks).item<float>();
            best += batch.Count * objective.Distance(constant.expand_as(targets), targets).item<float>();
            position += batch.Count * objective.Distance(constants.index_select(0, masks.Targets.Patches), targets).item<float>();
            (first, images) = (first + batch.Count, images + batch.Count);
        }

        return (real / images, best / images, position / images);
    }

    /// <summary>LiDAR of the target encoder: every image a class, whose members are the pooled features of its context in q draws of masks.</summary>
    private double LidarOf(ImageJepa objective)
    {
        var rows = new List<Tensor>();
        var views = _sample.Views[0].Count;
        foreach (var (batch, draws) in _sample.Batches.Zip(_sample.Views))
        {
            using var inner = NewDisposeScope();
            var images = _scaling.ToImages(batch);
            Tensor[] pooled = [.. draws.Select(draw => Context(objective, images, draw))];
            rows.Add(stack(pooled, 1).flatten(0, 1).MoveToOuterDisposeScope());
        }

        return Lidar.Of(FeatureMatrix.FromTensor(cat(rows)), views);
    }

    /// <summary>[B, D]: mean over the patches of an image's context blocks.</summary>
    private Tensor Context(ImageJepa objective, Tensor images, Masking.MaskBatch draw)
    {
        using var masks = JepaMasks.Of(draw, _device);
        var encoded = objective.TargetEncoder.Encode(images, masks.Context).to(float32);
        return encoded.mean([1L]).view(draw.ContextBlocks, draw.Batch, -1).mean([0L]);
    }
}
