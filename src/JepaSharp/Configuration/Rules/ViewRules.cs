using JepaSharp.Configuration.Schema;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section views, where an objective reads it.</summary>
internal static class ViewRules
{
    public static void Check(PretrainOptions options, RuleChecks checks)
    {
        var views = options.Views;
        checks.AtLeast(1, views.Global, "views.global");
        checks.AtLeast(0, views.Local, "views.local");
        if (views is { Global: 1, Local: 0 })
            checks.Report("views.local", "0", "1 or more beside one global view: views are compared with one another");
        if (views.Local > 0)
        {
            checks.Require(
                options.Mask.PatchSize < 1 || (views.LocalSize >= 1 && views.LocalSize % options.Mask.PatchSize == 0), "views.local_size",
                views.LocalSize, $"a positive multiple of mask.patch_size ({options.Mask.PatchSize})");
            checks.Range(views.LocalScale, 1, "views.local_scale");
        }

        CheckChanges(options, checks);
    }

    /// <summary>What changes views.</summary>
    public static void CheckChanges(PretrainOptions options, RuleChecks checks)
    {
        var (views, data) = (options.Views, options.Data);
        foreach (var (chance, key) in ((double, string)[])[
            (views.Flip, "flip"), (views.Jitter, "jitter"), (views.Gray, "gray"), (views.Blur, "blur"), (views.Solarize, "solarize")])
            checks.Require(chance is >= 0 and <= 1, $"views.{key}", chance, "a chance, 0 to 1");
        foreach (var (pair, key) in ((ChancePair?, string)[])[(views.GlobalBlur, "global_blur"), (views.GlobalSolarize, "global_solarize")])
            checks.Require(
                pair is not { } both || (both.First is >= 0 and <= 1 && both.Others is >= 0 and <= 1), $"views.{key}", pair,
                "two chances, 0 to 1");
        foreach (var (range, key) in ((double, string)[])[
            (views.Brightness, "brightness"), (views.Contrast, "contrast"), (views.Saturation, "saturation")])
            checks.Require(range >= 0 && double.IsFinite(range), $"views.{key}", range, "0 or more");
        checks.Require(views.Hue is >= 0 and <= 0.5, "views.hue", views.Hue, "turns, 0 to 0.5");
        checks.Range(views.BlurDeviation, double.PositiveInfinity, "views.blur_deviation");
        foreach (var (isUsed, key, instead) in ((bool, string, string)[])[
            (data.UseHorizontalFlip, "use_horizontal_flip", "views.flip"), (data.UseGaussianBlur, "use_gaussian_blur", "views.blur"),
            (data.UseColorDistortion, "use_color_distortion", "views.jitter with views.brightness and its like")])
            checks.Require(
                !isUsed, $"data.{key}", isUsed, $"false: meta.objective {OptionValue.Write(options.Meta.Objective)} reads {instead} in its place");
    }
}

/// <summary>What must hold of the section lejepa, where it is read.</summary>
internal static class LeJepaRules
{
    public static void Check(PretrainOptions options, RuleChecks checks)
    {
        if (options.Meta.Objective != MetaOptions.LeJepa) return;
        ViewRules.Check(options, checks);
        foreach (var (pair, key) in ((ChancePair?, string)[])[
            (options.Views.GlobalBlur, "global_blur"), (options.Views.GlobalSolarize, "global_solarize")])
            checks.Require(pair is null, $"views.{key}", pair, "null: LeJEPA's global views are all of one kind");
        var lejepa = options.Lejepa;
        checks.Require(lejepa.Lambda is >= 0 and <= 1, "lejepa.lambda", lejepa.Lambda, "a share, 0 to 1");
        checks.AtLeast(1, lejepa.Directions, "lejepa.directions");
        checks.Require(lejepa.Knots >= 3 && lejepa.Knots % 2 == 1, "lejepa.knots", lejepa.Knots, "an odd number, 3 or more");
        checks.Require(lejepa.LargestKnot > 0 && double.IsFinite(lejepa.LargestKnot), "lejepa.largest_knot", lejepa.LargestKnot, "a number above 0");
        checks.AtLeast(1, lejepa.Embedding, "lejepa.embedding");
        checks.AtLeast(1, lejepa.Hidden, "lejepa.hidden");
        checks.AtLeast(1, lejepa.Projection, "lejepa.projection");
        checks.Require(
            options.Data.BatchSize != 1 || options.Optimization.Accumulate > 1, "data.batch_size", options.Data.BatchSize,
            "2 or more, or more optimization.accumulate: a single image tells nothing of a distribution");
    }
}
