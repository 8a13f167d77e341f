using JepaSharp.Data.Cropping;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>What keys mean that are not given, where an objective's publication has other numbers than I-JEPA's.</summary>
internal static class ObjectiveDefaults
{
    private const double Data2VecFewStepsMomentum = 0.998; // the published 0.9998 stands for a million steps

    private const int LeastPrototypes = 16;

    /// <summary>Options with an objective's own optimizer, schedules and crops; the same for I-JEPA and for objectives that are not known
    /// here.</summary>
    /// <param name="options">What there is for I-JEPA.</param>
    /// <param name="objective">The objective's name.</param>
    public static PretrainOptions Of(PretrainOptions options, string objective) => objective switch
    {
        MetaOptions.MaskedAutoencoder => MaskedAutoencoder(options),
        MetaOptions.LeJepa => options with { Optimization = options.Optimization with { Schedule = RateSchedule.Current } },
        MetaOptions.Data2Vec => Data2Vec(options),
        MetaOptions.Dino => Views(options, new Interval(0.25, 1), new Interval(0.05, 0.25)),
        MetaOptions.Ibot => Views(options, new Interval(0.32, 1), new Interval(0.05, 0.32)),
        MetaOptions.MaskedSiamese => MaskedSiamese(options),
        MetaOptions.Rcdm => Rcdm(options),
        _ => options,
    };

    /// <summary>The same for options that suit some images: their epochs, rate and crops stay, and what was the predictor's size is the
    /// decoder's.</summary>
    /// <param name="suggested">What suits the images, for I-JEPA.</param>
    /// <param name="objective">The objective's name.</param>
    public static PretrainOptions On(PretrainOptions suggested, string objective)
    {
        suggested = suggested with { Meta = suggested.Meta with { Objective = objective } };
        if (objective == MetaOptions.LeJepa) return LeJepaOn(suggested);
        if (objective == MetaOptions.Data2Vec) return Data2VecOn(suggested);
        if (objective is MetaOptions.Dino or MetaOptions.Ibot) return SelfDistillationOn(suggested);
        if (objective == MetaOptions.MaskedSiamese) return MaskedSiameseOn(suggested);
        if (objective == MetaOptions.Rcdm) return RcdmOn(suggested);
        var own = Of(suggested, objective);
        if (ReferenceEquals(own, suggested)) return suggested;
        var (o, chosen, meta) = (own.Optimization, suggested.Optimization, suggested.Meta);
        var heads = meta.NumHeads ?? EncoderPreset.All.First(preset => preset.Name == meta.ModelName).Heads;
        return own with
        {
            Mae = own.Mae with
            {
                DecoderWidth = meta.PredEmbDim,
                DecoderDepth = meta.PredDepth,
                DecoderHeads = meta.PredEmbDim % heads == 0 ? heads : 1,
            },
            Optimization = o with { Epochs = chosen.Epochs, Warmup = chosen.Warmup, Lr = chosen.Lr, LrImages = null },
            Data = own.Data with { CropScale = suggested.Data.CropScale },
        };
    }

    /// <summary>LeJEPA for small networks and images: <c>configs/lejepa-cifar10-jpeg.yaml</c>. Embedding and projector shrink with the encoder, and
    /// small crops are neither blurred nor inverted.</summary>
    private static PretrainOptions LeJepaOn(PretrainOptions suggested)
    {
        var width = suggested.Meta.EmbedDim ?? EncoderPreset.All.First(preset => preset.Name == suggested.Meta.ModelName).Width;
        var (crop, patch) = (suggested.Data.CropSize, suggested.Mask.PatchSize);
        return suggested with
        {
            Data = suggested.Data with { Interpolation = ResampleFilter.Bilinear, CropScale = new Interval(0.3, 1) },
            Lejepa = suggested.Lejepa with { Directions = 256, Embedding = width, Hidden = 4 * width },
            Views = suggested.Views with
            {
                Local = 4,
                LocalSize = Math.Max(1, crop / patch / 2) * patch,
                LocalScale = new Interval(0.1, 0.3),
                Blur = 0,
                Solarize = 0,
            },
            Optimization = suggested.Optimization with
            {
                Schedule = RateSchedule.Current,
                StartLr = 1e-5,
                Lr = 1e-3,
                FinalLr = 1e-6,
                WeightDecay = 0.05,
                FinalWeightDecay = 0.05,
            },
        };
    }

    /// <summary>data2vec for small networks and images: <c>configs/data2vec-cifar10-jpeg.yaml</c>. Rectangles shrink with the grid, and little is
    /// left out of a network of few blocks.</summary>
    private static PretrainOptions Data2VecOn(PretrainOptions suggested)
    {
        var (own, chosen) = (Data2Vec(suggested), suggested.Optimization);
        var side = suggested.Data.CropSize / Math.Max(1, suggested.Mask.PatchSize);
        return own with
        {
            Data2vec = own.Data2vec with { MaskLeast = Math.Max(1, side * side * 16 / 196), DropPath = 0.1 },
            Data = own.Data with { CropScale = suggested.Data.CropScale },
            Optimization = own.Optimization with
            {
                Epochs = chosen.Epochs,
                Warmup = chosen.Warmup,
                Lr = chosen.Lr,
                FinalLr = chosen.FinalLr,
                Ema = chosen.Ema with { End = Data2VecFewStepsMomentum },
            },
        };
    }

    /// <summary>data2vec's published command for ViT-B/16.</summary>
    private static PretrainOptions Data2Vec(PretrainOptions options) => options with
    {
        Data = options.Data with { CropScale = new Interval(0.08, 1), Interpolation = ResampleFilter.Bicubic },
        Views = options.Views with
        {
            Global = 1,
            Local = 0,
            Jitter = 1,
            Saturation = 0.4,
            Hue = 0,
            Gray = 0,
            Blur = 0,
            Solarize = 0,
        },
        Optimization = options.Optimization with
        {
            Epochs = 800,
            Warmup = 10,
            Schedule = RateSchedule.Tabled,
            StartLr = 0,
            Lr = 2e-3,
            FinalLr = 1e-5,
            WeightDecay = 0.05,
            FinalWeightDecay = 0.05,
            Ema = new MomentumRange(0.999, 0.9998),
            ClipGrad = 3,
        },
    };

    /// <summary>MSN for small networks and images: <c>configs/msn-cifar10-jpeg.yaml</c>. The head shrinks with the encoder, there are as many
    /// prototypes as images in a batch, and small crops are not blurred.</summary>
    private static PretrainOptions MaskedSiameseOn(PretrainOptions suggested)
    {
        var own = MaskedSiamese(suggested);
        var width = suggested.Meta.EmbedDim ?? EncoderPreset.All.First(preset => preset.Name == suggested.Meta.ModelName).Width;
        var (crop, patch, chosen) = (suggested.Data.CropSize, suggested.Mask.PatchSize, suggested.Optimization);
        return own with
        {
            Msn = own.Msn with
            {
                Prototypes = Math.Clamp(suggested.Data.BatchSize, LeastPrototypes, own.Msn.Prototypes),
                Hidden = 4 * width,
                Projection = width,
            },
            Views = own.Views with { Local = 4, LocalSize = Math.Max(1, crop / patch / 2) * patch, LocalScale = new Interval(0.1, 0.3), Blur = 0 },
            Optimization = own.Optimization with { Epochs = chosen.Epochs, Warmup = chosen.Warmup },
        };
    }

    /// <summary>MSN's published configuration of ViT-S/16 (Assran et al., 2022).</summary>
    private static PretrainOptions MaskedSiamese(PretrainOptions options) => options with
    {
        Data = options.Data with { CropScale = new Interval(0.3, 1), Interpolation = ResampleFilter.Bilinear, UseHorizontalFlip = false },
        Views = options.Views with { Local = 10, Saturation = 0.4, Solarize = 0 },
        Optimization = options.Optimization with { Epochs = 800, Warmup = 15, IpeScale = 1.25, ClipGrad = 3 },
    };

    /// <summary>RCDM for two cores: whole images, a constant rate after the warm-up, no decay.</summary>
    private static PretrainOptions Rcdm(PretrainOptions options) => options with
    {
        Data = options.Data with { BatchSize = 32, CropScale = new Interval(1, 1), CropAspect = new Interval(1, 1), UseHorizontalFlip = true },
        Optimization = options.Optimization with
        {
            Epochs = 100,
            Warmup = 1,
            StartLr = 1e-5,
            Lr = 1e-3,
            FinalLr = 1e-3,
            WeightDecay = 0,
            FinalWeightDecay = 0,
            ClipGrad = 1,
        },
    };

    /// <summary>The same for some images: as many passes as were chosen.</summary>
    private static PretrainOptions RcdmOn(PretrainOptions suggested)
    {
        var (own, chosen) = (Rcdm(suggested), suggested.Optimization);
        return own with { Optimization = own.Optimization with { Epochs = chosen.Epochs, Warmup = Math.Min(1, chosen.Warmup) } };
    }

    /// <summary>MAE's published command (He et al., 2022, appendix A.1, table 8).</summary>
    private static PretrainOptions MaskedAutoencoder(PretrainOptions options) => options with
    {
        Data = options.Data with
        {
            CropScale = new Interval(0.2, 1),
            Interpolation = ResampleFilter.Bicubic,
            UseHorizontalFlip = true,
        },
        Optimization = options.Optimization with
        {
            Epochs = 800,
            Warmup = 40,
            Schedule = RateSchedule.Fractional,
            StartLr = 0,
            Lr = 1.5e-4,
            LrImages = 256,
            FinalLr = 0,
            WeightDecay = 0.05,
            FinalWeightDecay = 0.05,
            Beta2 = 0.95,
        },
    };

    /// <summary>DINO's and iBOT's published ViT-B/16 (Caron et al., ICCV 2021; Zhou et al., ICLR 2022).</summary>
    private static PretrainOptions Views(PretrainOptions options, Interval large, Interval small) => options with
    {
        Data = options.Data with { CropScale = large, Interpolation = ResampleFilter.Bicubic, UseHorizontalFlip = false },
        Views = options.Views with
        {
            Local = 10,
            LocalScale = small,
            Blur = 0.5,
            Solarize = 0,
            GlobalBlur = new ChancePair(1, 0.1),
            GlobalSolarize = new ChancePair(0, 0.2),
        },
        Optimization = options.Optimization with
        {
            Epochs = 400,
            Warmup = 10,
            Schedule = RateSchedule.Tabled,
            StartLr = 0,
            Lr = 7.5e-4,
            LrImages = 256,
            FinalLr = 2e-6,
            WeightDecay = 0.04,
            FinalWeightDecay = 0.4,
            Ema = new MomentumRange(0.996, 1),
            ClipGrad = 0.3,
        },
    };

    /// <summary>DINO and iBOT for small networks and images: <c>configs/dino-cifar10-jpeg.yaml</c> and <c>ibot-cifar10-jpeg.yaml</c>. The head
    /// shrinks with the encoder, nothing is counted in epochs, of which there may be one, and small crops are not blurred.</summary>
    private static PretrainOptions SelfDistillationOn(PretrainOptions suggested)
    {
        const int outputs = 1024, narrow = 64, local = 4;
        var width = suggested.Meta.EmbedDim ?? EncoderPreset.All.First(preset => preset.Name == suggested.Meta.ModelName).Width;
        var (crop, patch, hidden) = (suggested.Data.CropSize, suggested.Mask.PatchSize, 4 * width);
        return suggested with
        {
            Data = suggested.Data with { Interpolation = ResampleFilter.Bicubic, CropScale = new Interval(0.3, 1), UseHorizontalFlip = false },
            Dino = suggested.Dino with
            {
                OutDim = outputs,
                HeadHidden = hidden,
                HeadBottleneck = narrow,
                FreezeLastLayer = 0,
                DropPath = 0,
                TeacherTemp = suggested.Dino.WarmupTeacherTemp,
                WarmupTeacherTempEpochs = 0,
            },
            Ibot = suggested.Ibot with
            {
                OutDim = outputs,
                PatchOutDim = outputs,
                HeadHidden = hidden,
                HeadBottleneck = narrow,
                FreezeLastLayer = 0,
                DropPath = 0,
                TeacherTemp = suggested.Ibot.WarmupTeacherTemp,
                TeacherPatchTemp = suggested.Ibot.WarmupTeacherPatchTemp,
                WarmupTeacherTempEpochs = 0,
            },
            Views = suggested.Views with
            {
                Local = local,
                LocalSize = Math.Max(1, crop / patch / 2) * patch,
                LocalScale = new Interval(0.1, 0.3),
                Blur = 0,
                Solarize = 0,
                GlobalSolarize = new ChancePair(0, 0.2),
            },
            Optimization = suggested.Optimization with
            {
                Schedule = RateSchedule.Tabled,
                StartLr = 0,
                Lr = 5e-4,
                FinalLr = 1e-6,
                FinalWeightDecay = 0.1,
                ClipGrad = 3,
            },
        };
    }
}
