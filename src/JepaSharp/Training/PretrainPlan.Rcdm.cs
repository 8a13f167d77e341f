using System.Globalization;
using JepaSharp.Configuration.Rules;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Models.Diffusion;
using JepaSharp.Objectives;
using JepaSharp.Objectives.Diffusion;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <content>What a configuration means for a decoder of representations.</content>
public sealed partial class PretrainPlan
{
    private const int MeasuredImages = 512, LargestSmallGrid = 12, UsualKept = 10, FewKept = 4;

    /// <summary>The decoder as the configuration describes it, with representations of some images measured: the frozen networks are read.</summary>
    /// <param name="device">Where the networks live; the meta device for shapes alone. Null: the CPU.</param>
    /// <exception cref="JepaException">There is no I-JEPA in the weights, or it does not go with the configuration.</exception>
    public Rcdm Rcdm(Device? device = null)
    {
        var section = Options.Rcdm;
        var path = section.Weights ?? throw new JepaException("rcdm.weights is not set: give the weights of an I-JEPA.", isUsage: true);
        using var weights = PretrainedWeights.Open(path, section.Heads);
        var jepa = OpenJepa(weights, device);
        try
        {
            var shape = jepa.Shape;
            if (shape.ImageHeight != shape.ImageWidth || Options.Data.CropSize != shape.ImageHeight)
                throw new JepaException(string.Create(CultureInfo.InvariantCulture,
                    $"{path} sees images of {shape.ImageHeight}x{shape.ImageWidth} pixels, and the run's crops have {Options.Data.CropSize}: set "
                        + $"data.crop_size to {shape.ImageHeight}."), isUsage: true);
            RequireNormalization(jepa, path);
            var masks = ImageJepaOptions.DrawnFrom(MasksFor(shape));
            var pairs = new PredictedBlocks(jepa, new View("image", Crop), masks, section.Size, section.Represents, section.Decode);
            using var measured = device?.type == DeviceType.META ? null : Measured(pairs, device ?? CPU);
            return new Rcdm(RcdmOptionsOf(section, pairs, Seed) with { Measured = measured }, device);
        }
        catch
        {
            jepa.Dispose();
            throw;
        }
    }

    /// <summary>A decoder of pairs as a section describes it.</summary>
    /// <param name="section">The section.</param>
    /// <param name="pairs">What it learns from; taken over.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    internal static RcdmOptions RcdmOptionsOf(Configuration.RcdmSection section, DecodedPairs pairs, ulong seed) => new()
    {
        Pairs = pairs,
        Decoder = new DiffusionUNetShape
        {
            ImageSize = section.Size,
            Channels = section.Channels,
            Multipliers = RcdmRules.Numbers(section.Multipliers) ?? [],
            Blocks = section.Blocks,
            AttentionSizes = RcdmRules.Numbers(section.Attention) ?? [],
            Heads = section.DecoderHeads,
            HeadWidth = section.HeadWidth,
            Dropout = section.Dropout,
            LearnsSigma = section.LearnSigma,
            Condition = pairs.Width,
        },
        Diffusion = new GaussianDiffusion(NoiseSchedule.Of(section.Noise, section.Steps), section.Predicts, section.LearnSigma),
        Average = section.Average,
        WarmsAverage = section.AverageWarmup,
        Seed = seed,
    };

    /// <summary>I-JEPA's three networks, frozen.</summary>
    /// <param name="weights">Where from; may be disposed of afterwards.</param>
    /// <param name="device">Where they will live; the meta device for shapes alone.</param>
    /// <exception cref="JepaException">The file lacks one of them, or its predictor predicts pixels.</exception>
    internal static FrozenJepa OpenJepa(PretrainedWeights weights, Device? device)
    {
        string[] wanted = [NetworkNames.ContextEncoder, NetworkNames.Predictor, NetworkNames.TargetEncoder];
        if (wanted.Where(n => !weights.Has(n)).Select(NetworkNames.Title).ToList() is { Count: > 0 } missing)
            throw new JepaException(
                $"{weights.Path} holds no {string.Join(" and no ", missing)} (found: {string.Join(", ", weights.Present.Select(weights.TitleOf))}). "
                    + "What a predictor knows can be drawn of an I-JEPA alone: give a run of jepa pretrain --objective ijepa, or a published "
                    + ".pth.tar.",
                isUsage: true);
        if (weights.Predictor?.Outputs is not null)
            throw new JepaException(
                $"{weights.Path} has a predictor of pixels, which draws by itself; expected one of representations (ijepa.target).", isUsage: true);
        weights.Require(wanted);
        var normalization = weights.Normalization ?? PixelNormalization.ImageNet;
        var isShape = device?.type == DeviceType.META;
        VisionTransformer Encoder(string name) =>
            isShape ? new VisionTransformer(weights.Encoder, device) : PretrainedNetworks.LoadEncoder(weights, name, device);
        var predictor = isShape ? new Predictor(weights.Predictor!, weights.Encoder, device) : PretrainedNetworks.LoadPredictor(weights, device);
        return new FrozenJepa(Encoder(NetworkNames.ContextEncoder), predictor, Encoder(NetworkNames.TargetEncoder))
        {
            Pixels = new ChannelScale(normalization.Mean, normalization.Deviation),
            Name = weights.Path,
        };
    }

    /// <summary>Square blocks on an encoder's grid, by the paper's scales.</summary>
    /// <exception cref="JepaException">The grid has no room for them.</exception>
    internal static MultiBlockMaskingOptions MasksFor(VisionTransformerShape shape)
    {
        var kept = Math.Min(shape.GridHeight, shape.GridWidth) >= LargestSmallGrid ? UsualKept : FewKept;
        var masks = PredictedBlocks.SquareBlocks(new PatchGrid(shape.GridHeight, shape.GridWidth), kept);
        return masks.Problems() is { Count: > 0 } problems ? throw new JepaException(string.Join('\n', problems), isUsage: true) : masks;
    }

    private void RequireNormalization(FrozenJepa jepa, string path)
    {
        var (mean, std) = (Options.Data.Mean, Options.Data.Std);
        static bool Near(IReadOnlyList<double> a, double[] b) => a.Count == b.Length && a.Zip(b).All(p => Math.Abs(p.First - p.Second) < 1e-4);
        if (Near(jepa.Pixels.Mean, [mean.Red, mean.Green, mean.Blue]) && Near(jepa.Pixels.Deviation, [std.Red, std.Green, std.Blue])) return;
        static string Text(IEnumerable<double> numbers) => string.Join(", ", numbers.Select(n => n.ToString("0.####", CultureInfo.InvariantCulture)));
        throw new JepaException(
            $"{path} was trained on pixels of mean [{Text(jepa.Pixels.Mean)}] and deviation [{Text(jepa.Pixels.Deviation)}], and the run normalises "
                + "them otherwise: set data.mean and data.std to these.", isUsage: true);
    }

    /// <summary>Representations of the first images, whole, with masks that training never draws. -> float32 [n, D].</summary>
    private Tensor Measured(PredictedBlocks pairs, Device device)
    {
        using var scope = NewDisposeScope();
        using var source = Options.Data.OpenSource();
        using var scaling = Scaling(device);
        var reader = new ImageReader(source, EvaluationTransform.CenterCrop(Options.Data.CropSize), Options.Data.BatchSize);
        var (rows, turn) = (new List<Tensor>(), 0);
        foreach (var batch in reader.Read([.. Enumerable.Range(0, Math.Min(MeasuredImages, source.Count))]))
        {
            using var views = new ViewBatch(
                new Dictionary<string, Tensor> { [pairs.View.Name] = scaling.ToImages(batch).DetachFromDisposeScope() },
                [.. batch.Indices.Take(batch.Count)]);
            rows.Add(pairs.Of(views, Step.Untracked(Seed, microBatch: -2 - turn++)).Conditions);
        }

        return cat(rows).MoveToOuterDisposeScope();
    }
}
