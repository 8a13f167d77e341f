using JepaSharp.Configuration;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>What a configuration means for the parts of a run: shapes, masks, loader and schedules.</summary>
public sealed class PretrainPlan
{
    /// <summary>Translates validated options.</summary>
    public PretrainPlan(PretrainOptions options) => Options = options;

    /// <summary>What was asked for.</summary>
    public PretrainOptions Options { get; }

    /// <summary>Shape of both encoders.</summary>
    public VisionTransformerShape Encoder
    {
        get
        {
            var meta = Options.Meta;
            var preset = ModelPresets.Encoder(meta.ModelName, Options.Data.CropSize, Options.Mask.PatchSize);
            var width = meta.EmbedDim ?? preset.Width;
            var ratio = meta.MlpRatio ?? (double)preset.MlpWidth / preset.Width;
            return (preset with
            {
                Width = width,
                Depth = meta.Depth ?? preset.Depth,
                Heads = meta.NumHeads ?? preset.Heads,
                MlpWidth = (int)Math.Round(width * ratio),
                ClassToken = HasClassToken,
                LearnedPositions = ComparesViews || (IsData2Vec && Options.Data2vec.Positions == Data2VecPositions.Absolute),
                AbsolutePositions = !IsData2Vec || Options.Data2vec.Positions == Data2VecPositions.Absolute,
                RelativePositions = IsData2Vec && Options.Data2vec.Positions == Data2VecPositions.Relative,
                LayerScale = IsData2Vec && Options.Data2vec.LayerScale > 0,
                KeyBias = !IsData2Vec,
                MaskToken = IsData2Vec,
                Resizing = meta.Objective switch
                {
                    Objectives.LeJepa.ShortName => PositionResizing.BicubicAntialiased,
                    Objectives.Dino.ShortName or Objectives.Ibot.ShortName => PositionResizing.BicubicOffset,
                    _ => PositionResizing.Bicubic,
                },
            }).Validated();
        }
    }

    /// <summary>Shape of the predictor.</summary>
    public PredictorShape Predictor =>
        new PredictorShape(Options.Meta.PredEmbDim, Options.Meta.PredDepth, Options.Meta.PredNumHeads ?? Encoder.Heads)
        {
            Outputs = ImageJepaOptions.OutputsOf(Options.Ijepa.Target, Encoder),
        }.Validated();

    /// <summary>How context and target blocks are drawn.</summary>
    public MaskingOptions Masking => Options.Mask.On(new PatchGrid(Encoder.GridHeight, Encoder.GridWidth));

    /// <summary>How images are ordered and loaded, and what is made of each.</summary>
    /// <param name="views">What the objective wants of an image.</param>
    public ImageLoaderOptions Loading(IReadOnlyList<View> views)
    {
        var data = Options.Data;
        return new ImageLoaderOptions
        {
            BatchSize = data.BatchSize,
            Seed = Seed,
            Threads = data.NumWorkers is > 0 and var workers ? Math.Min(workers, Environment.ProcessorCount) : Environment.ProcessorCount,
            PrefetchBatches = data.Prefetch,
            MemoryMegabytes = data.MemoryMb,
            OnUnreadable = data.OnError,
            MaxUnreadableShare = data.MaxUnreadable,
            Views = views,
        };
    }

    /// <summary>The crop that section <c>data</c> describes.</summary>
    public TrainingTransform Crop
    {
        get
        {
            var data = Options.Data;
            return new TrainingTransform
            {
                CropSize = data.CropSize,
                Crop = new RandomResizedCrop
                {
                    MinScale = data.CropScale.Low,
                    MaxScale = data.CropScale.High,
                    MinAspect = data.CropAspect.Low,
                    MaxAspect = data.CropAspect.High,
                },
                Filter = data.Interpolation,
                Augmentations = new Augmentations
                {
                    Flip = data.UseHorizontalFlip ? 0.5 : 0,
                    Jitter = data.UseColorDistortion ? ColorJitter.OfStrength(data.ColorJitterStrength) : null,
                    Gray = data.UseColorDistortion ? 0.2 : 0,
                    Blur = data.UseGaussianBlur ? 0.5 : 0,
                },
            };
        }
    }

    /// <summary>The root of everything random.</summary>
    public ulong Seed => (ulong)Options.Meta.Seed;

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

    /// <summary>How pixels are normalised, on a device.</summary>
    public PixelScaling Scaling(Device device)
    {
        var (mean, std) = (Options.Data.Mean, Options.Data.Std);
        return new PixelScaling([mean.Red, mean.Green, mean.Blue], [std.Red, std.Green, std.Blue], device);
    }

    /// <summary>Distance between prediction and target.</summary>
    public JepaLoss Loss => Options.Optimization.Loss;

    /// <summary>The optimizer's constants.</summary>
    public OptimizerSettings Optimizer =>
        new(Options.Optimization.Beta1, Options.Optimization.Beta2, Options.Optimization.Eps, Options.Optimization.ClipGrad);

    /// <summary>Steps in an epoch that has so many batches.</summary>
    public int StepsPerEpoch(int batches) => batches / Options.Optimization.Accumulate;

    /// <summary>Steps of the whole run, as far as <c>optimization.max_steps</c> lets it go.</summary>
    public long TotalSteps(int batches) =>
        Math.Min((long)Options.Optimization.Epochs * StepsPerEpoch(batches), Options.Optimization.MaxSteps ?? long.MaxValue);

    /// <summary>Learning rate, weight decay and momentum of every step.</summary>
    public Schedules Schedules(int batches)
    {
        var o = Options.Optimization;
        return new Schedules(new ScheduleOptions
        {
            StepsPerEpoch = StepsPerEpoch(batches),
            Epochs = o.Epochs,
            WarmupEpochs = o.Warmup,
            CooldownEpochs = o.Cooldown,
            StartLearningRate = o.StartLr,
            LearningRate = o.PeakRate(Options.Data.BatchSize),
            FinalLearningRate = o.FinalLr,
            WeightDecay = o.WeightDecay,
            FinalWeightDecay = o.FinalWeightDecay,
            StartMomentum = o.Ema.Start,
            FinalMomentum = o.Ema.End,
            Stretch = o.IpeScale,
            Steps = o.ScheduleSteps,
            Kind = o.Schedule,
            EpochSteps = (double)batches / o.Accumulate,
        });
    }

    private bool HasClassToken => Options.Meta.Objective switch
    {
        Objectives.MaskedAutoencoder.ShortName or Objectives.Data2Vec.ShortName => true,
        Objectives.Distillation.ShortName => Options.Distill.ClassToken,
        _ => ComparesViews,
    };

    private bool IsData2Vec => Options.Meta.Objective == Objectives.Data2Vec.ShortName;

    private bool ComparesViews =>
        Options.Meta.Objective is Objectives.LeJepa.ShortName or Objectives.Dino.ShortName or Objectives.Ibot.ShortName
            or Objectives.MaskedSiamese.ShortName;

    private IReadOnlyList<View> LargeViews => Options.Views.GlobalViews(Crop, "global", "other global");

    private View? SmallView => Options.Views.Local == 0 ? null : new View("local", Options.Views.LocalCrop(Crop), Options.Views.Local);
}

/// <summary>The objectives that a configuration can name: a plain list. Others are handed to <see cref="Trainer"/> as they are.</summary>
public static class KnownObjectives
{
    private static readonly (string Name, Func<PretrainPlan, Device?, Objective> Create)[] All =
    [
        (ImageJepa.ShortName, (plan, device) => new ImageJepa(plan.ImageJepa, device)),
        (MaskedAutoencoder.ShortName, (plan, device) => new MaskedAutoencoder(plan.MaskedAutoencoder, device)),
        (LeJepa.ShortName, (plan, device) => new LeJepa(plan.LeJepa, device)),
        (Data2Vec.ShortName, (plan, device) => new Data2Vec(plan.Data2Vec, device)),
        (Dino.ShortName, (plan, device) => new Dino(plan.Dino, device)),
        (Ibot.ShortName, (plan, device) => new Ibot(plan.Ibot, device)),
        (MaskedSiamese.ShortName, (plan, device) => new MaskedSiamese(plan.MaskedSiamese, device)),
        (Distillation.ShortName, (plan, device) => new Distillation(plan.Distillation(device), device)),
    ];

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(o => o.Name)];

    /// <summary>Builds the objective that a configuration names, with initial weights.</summary>
    /// <param name="plan">What the configuration means.</param>
    /// <param name="device">Where its networks live; the meta device for shapes alone. Null: the CPU.</param>
    /// <exception cref="JepaException">There is no such objective.</exception>
    public static Objective Create(PretrainPlan plan, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var name = plan.Options.Meta.Objective;
        var known = Array.Find(All, o => o.Name == name);
        if (known.Create is not null) return known.Create(plan, device);
        var near = NearestName.Of(name, Names) is { } meant ? $" Perhaps {meant} is meant." : "";
        throw new JepaException($"meta.objective: {name} is none of {string.Join(", ", Names)}.{near}", isUsage: true);
    }
}
