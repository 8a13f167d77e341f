using JepaSharp.Configuration;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Optimization;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Training;

/// <summary>What a configuration means for the parts of a run: shapes, masks, loader and schedules.</summary>
public sealed partial class PretrainPlan
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
            Threads = data.NumWorkers is > 0 and var workers ? Math.Min(workers, RankCores.Count) : RankCores.Count,
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
}
