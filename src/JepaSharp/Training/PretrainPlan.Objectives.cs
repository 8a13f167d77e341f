using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <content>What a configuration means for each objective.</content>
public sealed partial class PretrainPlan
{
    /// <summary>I-JEPA as the configuration describes it.</summary>
    public ImageJepaOptions ImageJepa => new()
    {
        Encoder = Encoder,
        Predictor = Predictor,
        Masks = ImageJepaOptions.DrawnFrom(Masking, Options.Mask.ImagesPerLength, Options.Data.BatchSize),
        View = new View("image", Crop),
        Loss = Loss,
        Target = Options.Ijepa.Target,
        MaskTarget = Options.Ijepa.MaskTarget,
        Variance = Options.Ijepa.Variance,
        Covariance = Options.Ijepa.Covariance,
        Seed = Seed,
    };

    /// <summary>MAE as the configuration describes it.</summary>
    public MaskedAutoencoderOptions MaskedAutoencoder
    {
        get
        {
            var (mae, mean, std) = (Options.Mae, Options.Data.Mean, Options.Data.Std);
            return new MaskedAutoencoderOptions
            {
                Encoder = Encoder,
                Decoder = new PixelDecoderShape(mae.DecoderWidth, mae.DecoderDepth, mae.DecoderHeads).Validated(),
                View = new View("image", Crop),
                MaskRatio = mae.MaskRatio,
                NormalizesPatches = mae.NormPix,
                PixelMean = [mean.Red, mean.Green, mean.Blue],
                PixelDeviation = [std.Red, std.Green, std.Blue],
                Seed = Seed,
            };
        }
    }

    /// <summary>LeJEPA as the configuration describes it.</summary>
    public LeJepaOptions LeJepa
    {
        get
        {
            var (section, views) = (Options.Lejepa, Options.Views);
            return new LeJepaOptions
            {
                Encoder = Encoder,
                Global = new View(LeJepaOptions.GlobalView, views.GlobalCrop(Crop), views.Global),
                Local = views.Local == 0 ? null : new View(LeJepaOptions.LocalView, views.LocalCrop(Crop), views.Local),
                Lambda = section.Lambda,
                Directions = section.Directions,
                Knots = section.Knots,
                LargestKnot = section.LargestKnot,
                Embedding = section.Embedding,
                Hidden = section.Hidden,
                Projection = section.Projection,
                Seed = Seed,
            };
        }
    }

    /// <summary>data2vec as the configuration describes it.</summary>
    public Data2VecOptions Data2Vec
    {
        get
        {
            var (section, ema, encoder) = (Options.Data2vec, Options.Optimization.Ema, Encoder);
            var blocks = section.TargetBlocks ?? (encoder.Depth + 1) / 2;
            return new Data2VecOptions
            {
                Encoder = encoder,
                Masking = new BlockwiseMasking
                {
                    Grid = new PatchGrid(encoder.GridHeight, encoder.GridWidth),
                    Patches = section.MaskPatches ?? Data2VecOptions.PatchesOf(encoder),
                    Least = section.MaskLeast,
                    Most = section.MaskMost,
                },
                TargetBlocks = [.. Enumerable.Range(encoder.Depth - blocks, blocks)],
                Target = section.Target,
                NormalizesBlocks = section.NormBlocks,
                NormalizesMean = section.NormMean,
                Beta = section.Beta,
                Variance = section.Variance,
                DropPath = section.DropPath,
                LayerScale = section.LayerScale,
                Momentum = Data2VecOptions.Rising(ema.Start, ema.End, section.EmaSteps),
                AveragesPlaces = section.AveragePlaces,
                View = new View("image", Options.Views.GlobalCrop(Crop)),
                Seed = Seed,
            };
        }
    }

    /// <summary>MSN as the configuration describes it.</summary>
    public MaskedSiameseOptions MaskedSiamese
    {
        get
        {
            var (section, views) = (Options.Msn, Options.Views);
            return new MaskedSiameseOptions
            {
                Encoder = Encoder,
                Target = new View(MaskedSiameseOptions.TargetView, views.GlobalCrop(Crop)),
                Anchor = new View(MaskedSiameseOptions.AnchorView, views.GlobalCrop(Crop), views.Global - 1),
                Focal = views.Local == 0 ? null : new View(MaskedSiameseOptions.FocalView, views.LocalCrop(Crop), views.Local),
                PatchDrop = section.PatchDrop,
                MasksEachImage = section.MaskPerImage,
                Prototypes = section.Prototypes,
                Hidden = section.Hidden,
                Projection = section.Projection,
                Loss = new PrototypeLoss
                {
                    Temperature = section.Temperature,
                    LabelSmoothing = section.LabelSmoothing,
                    Balances = section.Sinkhorn,
                    MeanEntropyWeight = section.MeanEntropy,
                    EntropyWeight = section.Entropy,
                },
                StartSharpening = section.StartSharpen,
                FinalSharpening = section.FinalSharpen,
                Seed = Seed,
            };
        }
    }

    /// <summary>DINO as the configuration describes it.</summary>
    public DinoOptions Dino
    {
        get
        {
            var (dino, encoder) = (Options.Dino, Encoder);
            return new DinoOptions
            {
                Encoder = encoder,
                Head = new ProjectionHeadShape(
                    encoder.Width, dino.HeadHidden, dino.HeadBottleneck, dino.OutDim, LearnsLengths: !dino.NormLastLayer).Validated(),
                Global = LargeViews,
                Local = SmallView,
                StudentTemperature = dino.StudentTemp,
                Temperature = new TemperatureSchedule(dino.WarmupTeacherTemp, dino.TeacherTemp, dino.WarmupTeacherTempEpochs),
                CenterMomentum = dino.CenterMomentum,
                FrozenEpochs = dino.FreezeLastLayer,
                DropPath = dino.DropPath,
                Seed = Seed,
            };
        }
    }

    /// <summary>Distillation as the configuration describes it: its teacher is read.</summary>
    /// <param name="device">Where the teacher lives; the meta device for its shape alone. Null: the CPU.</param>
    /// <exception cref="JepaException">The teacher cannot be read, or cannot teach such a student.</exception>
    public DistillationOptions Distillation(Device? device = null)
    {
        var (section, mean, std) = (Options.Distill, Options.Data.Mean, Options.Data.Std);
        var path = section.Teacher ?? throw new JepaException("distill.teacher is not set: give the teacher's weights.", isUsage: true);
        using var weights = PretrainedWeights.Open(path, section.TeacherHeads);
        var isShape = device?.type == TorchSharp.DeviceType.META;
        var own = new ChannelScale([mean.Red, mean.Green, mean.Blue], [std.Red, std.Green, std.Blue]);
        var options = new DistillationOptions
        {
            Student = Encoder,
            Teacher = isShape ? new VisionTransformer(weights.Encoder, device)
                : PretrainedNetworks.LoadEncoder(weights, section.TeacherEncoder, device),
            TeacherName = path,
            Pixels = own,
            TeacherPixels = weights.Normalization is { } theirs ? new ChannelScale(theirs.Mean, theirs.Deviation) : own,
            TeacherSize = section.TeacherSize,
            ClassWeight = section.ClassWeight,
            Loss = Loss,
            View = new View("image", Crop),
            Seed = Seed,
        };
        if (options.Obstacle() is not { } obstacle) return options;
        options.Teacher.Dispose();
        throw new JepaException($"{path}: {obstacle}", isUsage: true);
    }

    /// <summary>iBOT as the configuration describes it.</summary>
    public IbotOptions Ibot
    {
        get
        {
            var (ibot, encoder) = (Options.Ibot, Encoder);
            return new IbotOptions
            {
                Encoder = encoder,
                Head = new ProjectionHeadShape(
                    encoder.Width, ibot.HeadHidden, ibot.HeadBottleneck, ibot.OutDim, ibot.SharedHead ? null : ibot.PatchOutDim,
                    LearnsLengths: !ibot.NormLastLayer).Validated(),
                Global = LargeViews,
                Local = SmallView,
                Hidden = new HiddenPatches(
                    [ibot.PredRatio.Low, ibot.PredRatio.High], [ibot.PredRatioVar.Low, ibot.PredRatioVar.High], ibot.PredShape),
                FirstMaskedEpoch = ibot.PredStartEpoch,
                ClassWeight = ibot.Lambda1,
                PatchWeight = ibot.Lambda2,
                StudentTemperature = ibot.StudentTemp,
                Temperature = new TemperatureSchedule(ibot.WarmupTeacherTemp, ibot.TeacherTemp, ibot.WarmupTeacherTempEpochs),
                PatchTemperature = new TemperatureSchedule(
                    ibot.WarmupTeacherPatchTemp, ibot.TeacherPatchTemp, ibot.WarmupTeacherTempEpochs, ibot.PredStartEpoch),
                CenterMomentum = ibot.CenterMomentum,
                PatchCenterMomentum = ibot.CenterMomentum2,
                FrozenEpochs = ibot.FreezeLastLayer,
                DropPath = ibot.DropPath,
                Seed = Seed,
            };
        }
    }

    private IReadOnlyList<View> LargeViews => Options.Views.GlobalViews(Crop, "global", "other global");

    private View? SmallView => Options.Views.Local == 0 ? null : new View("local", Options.Views.LocalCrop(Crop), Options.Views.Local);
}
