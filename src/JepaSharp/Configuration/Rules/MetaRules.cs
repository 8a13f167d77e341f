using System.Text.RegularExpressions;
using JepaSharp.Configuration.Schema;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section meta.</summary>
internal static partial class MetaRules
{
    public static void Check(MetaOptions meta, RuleChecks checks)
    {
        if (!EncoderPreset.Names.Contains(meta.ModelName))
        {
            var perhaps = NearestName.Of(meta.ModelName, EncoderPreset.Names) is { } near ? $" ({near}, perhaps)" : "";
            checks.Require(false, "meta.model_name", meta.ModelName, $"one of {string.Join(", ", EncoderPreset.Names)}{perhaps}");
        }
        CheckWidth(meta.EmbedDim, "meta.embed_dim", checks);
        CheckWidth(meta.PredEmbDim, "meta.pred_emb_dim", checks);
        CheckHeads(meta.NumHeads, meta.EmbedDim, "meta.num_heads", "meta.embed_dim", checks);
        CheckHeads(meta.PredNumHeads, meta.PredEmbDim, "meta.pred_num_heads", "meta.pred_emb_dim", checks);
        checks.AtLeast(1, meta.Depth, "meta.depth");
        checks.AtLeast(1, meta.PredDepth, "meta.pred_depth");
        checks.Require(meta.MlpRatio is null or > 0 and < double.PositiveInfinity, "meta.mlp_ratio", meta.MlpRatio, "a number above 0");
        checks.Require(Device().IsMatch(meta.Device), "meta.device", meta.Device, "auto, cpu, cuda or cuda:n");
        checks.AtLeast(0, meta.Seed, "meta.seed");
        checks.NotEmpty(meta.ReadCheckpoint, "meta.read_checkpoint");
        checks.Require(
            !meta.LoadCheckpoint,
            "meta.load_checkpoint",
            meta.LoadCheckpoint,
            "false: go on with a run by --resume --out RUN, or begin with its weights by --init PATH");
        checks.Require(
            !meta.CopyData, "meta.copy_data", meta.CopyData, "false: data is read where it lies; copy it yourself and point data.path at the copy");
    }

    // Half of the width encodes the row, half the column, each half in sines and cosines.
    private static void CheckWidth(int? width, string key, RuleChecks checks) =>
        checks.Require(width is null || (width > 0 && width % 4 == 0), key, width, "a positive multiple of 4, as sine-cosine positions need");

    private static void CheckHeads(int? heads, int? width, string key, string widthKey, RuleChecks checks)
    {
        checks.AtLeast(1, heads, key);
        if (heads >= 1 && width >= 1)
            checks.Require(width % heads == 0, key, heads, $"a divisor of {widthKey} ({width})");
    }

    [GeneratedRegex(@"^(auto|cpu|cuda(:\d{1,3})?)\z")]
    private static partial Regex Device();
}

/// <summary>Everything that must hold of the values of a configuration, whatever file they came from.</summary>
internal static class OptionRules
{
    public static IReadOnlyList<ConfigurationProblem> Check(PretrainOptions options)
    {
        var checks = new RuleChecks();
        DataRules.Check(options.Data, checks);
        MaskRules.Check(options.Mask, checks);
        MaskRules.CheckGroups(options.Mask, options.Data, checks);
        GridRules.Check(options.Data, options.Mask, options.Meta.Objective == MetaOptions.ImageJepa, checks);
        MetaRules.Check(options.Meta, checks);
        OptimizationRules.Check(options.Optimization, options.Data.BatchSize, checks);
        JepaRules.Check(options.Ijepa, (long)options.Data.BatchSize * options.Optimization.Accumulate, checks);
        MaskedAutoencoderRules.Check(options, checks);
        LeJepaRules.Check(options, checks);
        Data2VecRules.Check(options, checks);
        DinoRules.Check(options, checks);
        IbotRules.Check(options, checks);
        MaskedSiameseRules.Check(options, checks);
        DistillationRules.Check(options, checks);
        RcdmRules.Check(options, checks);
        LoggingRules.Check(options.Logging, checks);
        return checks.Problems;
    }
}

/// <summary>What must hold of the section ijepa.</summary>
internal static class JepaRules
{
    public static void Check(JepaOptions ijepa, long images, RuleChecks checks)
    {
        checks.Require(
            ijepa.Target == JepaTarget.Representations || ijepa.MaskTarget == TargetMasking.Output, "ijepa.mask_target", ijepa.MaskTarget,
            $"output, or nothing: with ijepa.target {OptionValue.Write(ijepa.Target)} nothing is asked of a target encoder");
        foreach (var (weight, key) in ((double, string)[])[(ijepa.Variance, "ijepa.variance"), (ijepa.Covariance, "ijepa.covariance")])
        {
            checks.Require(weight >= 0 && double.IsFinite(weight), key, weight, "0 or more");
            checks.Require(!(weight > 0) || images != 1, key, weight, "0 with a step of one image, which does not vary");
        }
    }
}

/// <summary>What must hold of the section logging.</summary>
internal static class LoggingRules
{
    public static void Check(LoggingOptions logging, RuleChecks checks)
    {
        checks.NotEmpty(logging.Folder, "logging.folder");
        checks.Require(
            !string.IsNullOrWhiteSpace(logging.WriteTag) && logging.WriteTag.IndexOfAny(['/', '\\', '\0']) < 0,
            "logging.write_tag", logging.WriteTag, "a name without slashes");
        checks.AtLeast(1, logging.LogEvery, "logging.log_every");
        checks.AtLeast(1, logging.CheckpointEvery, "logging.checkpoint_every");
        checks.AtLeast(1, logging.CheckpointSteps, "logging.checkpoint_steps");
        checks.AtLeast(1, logging.KeepLast, "logging.keep_last");
        checks.AtLeast(1, logging.KeepEvery, "logging.keep_every");
        checks.AtLeast(1, logging.EvaluateEvery, "logging.evaluate_every");
        checks.AtLeast(0, logging.MonitorEvery, "logging.monitor_every");
    }
}

/// <summary>Collects what does not hold, and goes on.</summary>
internal sealed class RuleChecks
{
    private readonly List<ConfigurationProblem> _problems = [];

    public IReadOnlyList<ConfigurationProblem> Problems => _problems;

    /// <summary>Notes a problem unless <paramref name="holds"/>; <paramref name="found"/> is a value of an option.</summary>
    public void Require(bool holds, string key, object? found, string expected)
    {
        if (!holds) Report(key, OptionValue.Write(found), expected);
    }

    public void Report(string key, string found, string expected) => _problems.Add(new(key, found, expected));

    public void AtLeast(int least, int? value, string key) => Require(value is null || value >= least, key, value, $"{least} or more");

    public void NotEmpty(string? text, string key) =>
        Require(text is null || !string.IsNullOrWhiteSpace(text), key, text, "a name, or null for none");

    /// <summary>Both ends in (0, <paramref name="most"/>], the low one first.</summary>
    public void Range(Interval range, double most, string key)
    {
        var bound = double.IsFinite(most) ? $"in (0, {most}]" : "above 0";
        var holds = range.Low > 0 && range.High <= most && range.Low <= range.High && double.IsFinite(range.High);
        Require(holds, key, range, $"[low, high] with low <= high, both {bound}");
    }
}

/// <summary>What must hold of the section data by itself.</summary>
internal static class DataRules
{
    /// <summary>Beyond this side a single crop is hundreds of megabytes.</summary>
    private const int LargestCrop = 8192;

    public static void Check(DataOptions data, RuleChecks checks)
    {
        checks.NotEmpty(data.Path, "data.path");
        checks.NotEmpty(data.RootPath, "data.root_path");
        checks.NotEmpty(data.ImageFolder, "data.image_folder");
        checks.NotEmpty(data.TestPath, "data.test_path");
        checks.AtLeast(1, data.MaxImages, "data.max_images");
        checks.AtLeast(1, data.BatchSize, "data.batch_size");
        checks.Require(data.CropSize is >= 1 and <= LargestCrop, "data.crop_size", data.CropSize, $"1 to {LargestCrop} pixels");
        checks.Range(data.CropScale, 1, "data.crop_scale");
        checks.Range(data.CropAspect, double.PositiveInfinity, "data.crop_aspect");
        checks.Require(data.ColorJitterStrength >= 0, "data.color_jitter_strength", data.ColorJitterStrength, "0 or more");
        checks.Require(
            EachChannel(data.Mean, value => value is >= 0 and <= 1), "data.mean", data.Mean, "three numbers in [0, 1], which channels are scaled to");
        checks.Require(
            EachChannel(data.Std, value => value is > 0 and <= 1), "data.std", data.Std, "three numbers in (0, 1]: channels are scaled to [0, 1]");
        checks.AtLeast(0, data.NumWorkers, "data.num_workers");
        checks.AtLeast(1, data.Prefetch, "data.prefetch");
        checks.AtLeast(64, data.MemoryMb, "data.memory_mb");
        checks.Require(data.MaxUnreadable is >= 0 and <= 1, "data.max_unreadable", data.MaxUnreadable, "a share, 0 to 1");
        checks.AtLeast(1, data.SceneCount, "data.scene_count");
        checks.Require(data.SceneSize is >= 16 and <= 2048, "data.scene_size", data.SceneSize, "16 to 2048 pixels");
        checks.AtLeast(0, data.SceneSeed, "data.scene_seed");
    }

    private static bool EachChannel(ChannelTriple triple, Func<double, bool> holds) => holds(triple.Red) && holds(triple.Green) && holds(triple.Blue);
}

/// <summary>What must hold of the section optimization.</summary>
internal static class OptimizationRules
{
    public static void Check(OptimizationOptions optimization, int batch, RuleChecks checks)
    {
        var o = optimization;
        checks.AtLeast(1, o.Epochs, "optimization.epochs");
        checks.AtLeast(1, o.MaxSteps, "optimization.max_steps");
        checks.AtLeast(1, o.Accumulate, "optimization.accumulate");
        checks.Require(o.Warmup >= 0 && o.Warmup <= Math.Max(1, o.Epochs), "optimization.warmup", o.Warmup, $"0 to optimization.epochs ({o.Epochs})");
        var isThreePhase = o.Schedule == RateSchedule.ThreePhase;
        checks.Require(
            isThreePhase ? o.Cooldown > 0 && o.Cooldown + o.Warmup <= o.Epochs : o.Cooldown == 0, "optimization.cooldown", o.Cooldown,
            isThreePhase ? $"above 0 and, with optimization.warmup ({o.Warmup}), at most optimization.epochs ({o.Epochs})"
                : "0, or nothing: only optimization.schedule three_phase reads it");
        checks.Require(
            o.IpeScale >= 1 && double.IsFinite(o.IpeScale), "optimization.ipe_scale", o.IpeScale, "1 or more: schedules end no sooner than the run");
        checks.Require(
            o.ScheduleSteps is not { } laid || (laid >= o.MaxSteps && o.MaxSteps >= 1),
            "optimization.schedule_steps", o.ScheduleSteps,
            $"null, or at least optimization.max_steps ({Schema.OptionValue.Write(o.MaxSteps)}), also given: schedules end no sooner than the run");
        checks.AtLeast(1, o.LrImages, "optimization.lr_images");
        CheckLearningRates(o, o.PeakRate(batch), checks);
        checks.Require(IsRate(o.WeightDecay), "optimization.weight_decay", o.WeightDecay, "0 or more");
        checks.Require(IsRate(o.FinalWeightDecay), "optimization.final_weight_decay", o.FinalWeightDecay, "0 or more");
        var isMomentum = o.Ema is { Start: >= 0, End: <= 1 } && o.Ema.Start <= o.Ema.End;
        checks.Require(isMomentum, "optimization.ema", o.Ema, "[start, end] with start <= end, both in [0, 1]");
        checks.Require(o.Beta1 is >= 0 and < 1, "optimization.beta1", o.Beta1, "a number in [0, 1)");
        checks.Require(o.Beta2 is >= 0 and < 1, "optimization.beta2", o.Beta2, "a number in [0, 1)");
        checks.Require(o.Eps > 0 && double.IsFinite(o.Eps), "optimization.eps", o.Eps, "a number above 0");
        checks.Require(o.ClipGrad is null or > 0, "optimization.clip_grad", o.ClipGrad, "a number above 0, or null for no clipping");
        checks.AtLeast(0, o.SkipNonFinite, "optimization.skip_non_finite");
    }

    private static void CheckLearningRates(OptimizationOptions o, double highest, RuleChecks checks)
    {
        if (!(o.Lr > 0) || !double.IsFinite(highest))
        {
            checks.Require(false, "optimization.lr", o.Lr, "a number above 0");
            return;
        }
        var scaled = o.LrImages is null ? "" : " times a step's images over optimization.lr_images";
        var peak = $"0 to the highest learning rate, optimization.lr{scaled} ({Schema.OptionValue.Write(highest)})";
        checks.Require(o.StartLr >= 0 && o.StartLr <= highest, "optimization.start_lr", o.StartLr, peak);
        checks.Require(o.FinalLr >= 0 && o.FinalLr <= highest, "optimization.final_lr", o.FinalLr, peak);
    }

    private static bool IsRate(double value) => value >= 0 && double.IsFinite(value);
}
