using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>Cuts a square target block out of images and asks the frozen networks of it, once.</summary>
internal sealed class BlockPreparation : IDisposable
{
    /// <summary>Images that are asked of at a time.</summary>
    public const int Batch = 32;

    private readonly FrozenJepa _jepa;
    private readonly FrozenJepa? _untrained;
    private readonly MaskSampler _masks;
    private readonly BlockPictures _pictures;
    private readonly PixelScaling _scaling;
    private readonly ulong _seed;

    /// <param name="jepa">The networks; the caller keeps them.</param>
    /// <param name="untrained">The same without training; null where nobody asks them.</param>
    /// <param name="size">S: side of the pictures.</param>
    /// <param name="seed">Keys the masks.</param>
    /// <param name="device">Where the networks are.</param>
    public BlockPreparation(FrozenJepa jepa, FrozenJepa? untrained, int size, ulong seed, Device device)
    {
        (_jepa, _untrained, _seed) = (jepa, untrained, seed);
        _masks = new MaskSampler(PretrainPlan.MasksFor(jepa.Shape));
        _pictures = new BlockPictures(jepa.Pixels, jepa.Shape.PatchSize, size);
        _scaling = new PixelScaling([.. jepa.Pixels.Mean], [.. jepa.Pixels.Deviation], device);
    }

    /// <summary>The same networks with initial weights.</summary>
    public static FrozenJepa UntrainedLike(FrozenJepa jepa, ulong seed, Device device)
    {
        var shape = jepa.Shape;
        var fresh = new FrozenJepa(
            new VisionTransformer(shape, device), new Predictor(jepa.Predictor.Shape, shape, device), new VisionTransformer(shape, device))
        {
            Pixels = jepa.Pixels,
            Name = "initial weights",
        };
        Initialization.Initialize(fresh.ContextEncoder, seed, stream: 0);
        Initialization.Initialize(fresh.Predictor, seed, stream: 1);
        Initialization.Initialize(fresh.TargetEncoder, seed, stream: 0);
        return fresh;
    }

    /// <summary>Asks of images.</summary>
    /// <param name="source">The images.</param>
    /// <param name="indices">Which; one may come several times, with other masks each.</param>
    /// <param name="key">Keys the masks: of the first batch, the next has the next.</param>
    /// <param name="wanted">Whose representations.</param>
    /// <param name="show">Whether the images themselves are wanted.</param>
    /// <param name="progress">Is told how many are done.</param>
    /// <param name="stop">Stops between batches.</param>
    public PreparedBlocks Of(
        ImageSource source, IReadOnlyList<int> indices, long key, IReadOnlyList<BlockSource> wanted, bool show = false,
        IProgress<int>? progress = null, CancellationToken stop = default)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var reader = new ImageReader(source, EvaluationTransform.CenterSquare(_jepa.Shape.ImageHeight), Batch);
        List<Tensor> pictures = [];
        var conditions = wanted.ToDictionary(w => w, _ => new List<Tensor>());
        var (shown, overlap, done) = (new List<ShownBlock>(), 0.0, 0);
        foreach (var batch in reader.Read(indices, stop))
        {
            using var inner = NewDisposeScope();
            var masks = _masks.Sample(_seed, key++, [.. Enumerable.Range(0, batch.Count).Select(i => (long)i)]);
            var blocks = Enumerable.Range(0, batch.Count).Select(i => BlockPictures.BlockOf(masks.Grid, masks.Target(0, i))).ToList();
            var images = _scaling.ToImages(batch);
            pictures.Add(_pictures.Of(images, blocks).MoveToOuterDisposeScope());
            var (others, covered) = Others(masks);
            overlap += covered * batch.Count;
            foreach (var (who, rows) in conditions) rows.Add(Ask(who, images, masks, others).MoveToOuterDisposeScope());
            if (show) shown.AddRange(Enumerable.Range(0, batch.Count).Select(i => Shown(source, batch, masks, blocks[i], i)));
            done += batch.Count;
            progress?.Report(done);
        }

        return new PreparedBlocks(
            cat(pictures).DetachFromDisposeScope(), conditions.ToDictionary(c => c.Key, c => cat(c.Value).DetachFromDisposeScope()),
            overlap / Math.Max(1, done))
        {
            Shown = shown,
        };
    }

    public void Dispose() => _scaling.Dispose();

    private Tensor Ask(BlockSource who, Tensor images, MaskBatch masks, long[] others)
    {
        using var scope = NewDisposeScope();
        PatchSelection Select(long[] patches) => new([patches], masks.Batch, masks.Grid.Count, images.device);
        using var seen = Select(masks.Context(0).ToArray());
        using var asked = Select(who == BlockSource.WrongPosition ? others : masks.Target(0).ToArray());
        return (who switch
        {
            BlockSource.Target => _jepa.Target(images, asked),
            BlockSource.Context => _jepa.Context(images, seen),
            BlockSource.Untrained => _untrained!.Predicted(images, seen, asked),
            _ => _jepa.Predicted(images, seen, asked),
        }).MoveToOuterDisposeScope();
    }

    /// <summary>Of each image, the target block that shares least with the first; and the mean share.</summary>
    private static (long[] Patches, double Covered) Others(MaskBatch masks)
    {
        var (patches, covered) = (new long[masks.Batch * masks.TargetLength], 0.0);
        for (var i = 0; i < masks.Batch; i++)
        {
            HashSet<long> own = [.. masks.Target(0, i)];
            var best = Enumerable.Range(1, masks.TargetBlocks - 1).MinBy(t => Common(masks.Target(t, i)));
            masks.Target(best, i).CopyTo(patches.AsSpan(i * masks.TargetLength));
            covered += (double)Common(masks.Target(best, i)) / own.Count;

            int Common(ReadOnlySpan<long> other)
            {
                var common = 0;
                foreach (var patch in other) common += own.Contains(patch) ? 1 : 0;
                return common;
            }
        }

        return (patches, covered / masks.Batch);
    }

    private static ShownBlock Shown(ImageSource source, ImageBatch batch, MaskBatch masks, PatchBlock block, int i)
    {
        var bytes = batch.Height * batch.Width * 3;
        var image = new RgbImage(batch.Width, batch.Height, batch.Pixels.AsSpan(i * bytes, bytes).ToArray());
        var seen = new bool[masks.Grid.Count];
        foreach (var patch in masks.Context(0, i)) seen[patch] = true;
        return new ShownBlock(batch.Indices[i], source.NameOf(batch.Indices[i]), image, masks.Grid, seen, block);
    }
}
