namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section dino, where it is read.</summary>
internal static class DinoRules
{
    public static void Check(PretrainOptions options, RuleChecks checks)
    {
        if (options.Meta.Objective != MetaOptions.Dino) return;
        ViewRules.Check(options, checks);
        var (dino, epochs) = (options.Dino, options.Optimization.Epochs);
        SelfDistillationRules.CheckSizes(
            "dino", [(dino.OutDim, "out_dim"), (dino.HeadHidden, "head_hidden"), (dino.HeadBottleneck, "head_bottleneck")], checks);
        SelfDistillationRules.CheckTemperatures("dino",
            [(dino.StudentTemp, "student_temp"), (dino.WarmupTeacherTemp, "warmup_teacher_temp"), (dino.TeacherTemp, "teacher_temp")], checks);
        SelfDistillationRules.CheckShares("dino", [(dino.CenterMomentum, "center_momentum")], checks);
        SelfDistillationRules.CheckDepth("dino", dino.DropPath, checks);
        SelfDistillationRules.CheckEpochs("dino", dino.FreezeLastLayer, dino.WarmupTeacherTempEpochs, epochs, checks);
    }
}

/// <summary>What must hold of the section ibot, where it is read.</summary>
internal static class IbotRules
{
    public static void Check(PretrainOptions options, RuleChecks checks)
    {
        if (options.Meta.Objective != MetaOptions.Ibot) return;
        ViewRules.Check(options, checks);
        var (ibot, epochs) = (options.Ibot, options.Optimization.Epochs);
        SelfDistillationRules.CheckSizes("ibot",
        [
            (ibot.OutDim, "out_dim"), (ibot.PatchOutDim, "patch_out_dim"), (ibot.HeadHidden, "head_hidden"),
            (ibot.HeadBottleneck, "head_bottleneck"),
        ], checks);
        SelfDistillationRules.CheckTemperatures("ibot",
        [
            (ibot.StudentTemp, "student_temp"), (ibot.WarmupTeacherTemp, "warmup_teacher_temp"), (ibot.TeacherTemp, "teacher_temp"),
            (ibot.WarmupTeacherPatchTemp, "warmup_teacher_patch_temp"), (ibot.TeacherPatchTemp, "teacher_patch_temp"),
        ], checks);
        SelfDistillationRules.CheckShares(
            "ibot", [(ibot.CenterMomentum, "center_momentum"), (ibot.CenterMomentum2, "center_momentum2")], checks);
        SelfDistillationRules.CheckDepth("ibot", ibot.DropPath, checks);
        SelfDistillationRules.CheckEpochs("ibot", ibot.FreezeLastLayer, ibot.WarmupTeacherTempEpochs, epochs, checks);
        checks.Require(
            ibot.PredStartEpoch >= 0 && ibot.PredStartEpoch < Math.Max(1, epochs), "ibot.pred_start_epoch", ibot.PredStartEpoch,
            $"0 or more, and below optimization.epochs ({epochs})");
        foreach (var (weight, key) in ((double, string)[])[(ibot.Lambda1, "lambda1"), (ibot.Lambda2, "lambda2")])
            checks.Require(weight >= 0 && double.IsFinite(weight), $"ibot.{key}", weight, "0 or more");
        CheckHeads(ibot, checks);
        CheckRatios(ibot, checks);
    }

    private static void CheckHeads(IbotSection ibot, RuleChecks checks)
    {
        checks.Require(
            ibot.SharedHead == ibot.SharedHeadTeacher, "ibot.shared_head_teacher", ibot.SharedHeadTeacher,
            ibot.SharedHead
                ? "true, as ibot.shared_head: where the student has one last layer, the teacher's average has one"
                : "false, as ibot.shared_head. The published defaults have two in the student and one in the teacher, which begins as the "
                    + "student's for patches and then follows the one for class tokens; no published model is trained so. Set both true, as "
                    + "those are, or both false");
        checks.Require(
            !ibot.SharedHead || ibot.PatchOutDim == ibot.OutDim, "ibot.patch_out_dim", ibot.PatchOutDim,
            $"ibot.out_dim ({ibot.OutDim}), as patches share the last layer of class tokens (ibot.shared_head true)");
    }

    private static void CheckRatios(IbotSection ibot, RuleChecks checks)
    {
        bool Holds(double ratio, double spread) => spread >= 0 && ratio - spread >= 0 && ratio + spread <= 1;
        checks.Require(
            Holds(ibot.PredRatio.Low, ibot.PredRatioVar.Low) && Holds(ibot.PredRatio.High, ibot.PredRatioVar.High),
            "ibot.pred_ratio", ibot.PredRatio,
            $"two shares that stay in [0, 1] with ibot.pred_ratio_var ({Schema.OptionValue.Write(ibot.PredRatioVar)}) less and more, 0 or more");
    }
}

/// <summary>What both have.</summary>
internal static class SelfDistillationRules
{
    public static void CheckSizes(string section, IEnumerable<(int Value, string Key)> sizes, RuleChecks checks)
    {
        foreach (var (value, key) in sizes) checks.AtLeast(1, value, $"{section}.{key}");
    }

    public static void CheckTemperatures(string section, IEnumerable<(double Value, string Key)> temperatures, RuleChecks checks)
    {
        foreach (var (value, key) in temperatures)
            checks.Require(value > 0 && double.IsFinite(value), $"{section}.{key}", value, "a number above 0");
    }

    public static void CheckShares(string section, IEnumerable<(double Value, string Key)> shares, RuleChecks checks)
    {
        foreach (var (value, key) in shares) checks.Require(value is >= 0 and <= 1, $"{section}.{key}", value, "a share, 0 to 1");
    }

    public static void CheckDepth(string section, double rate, RuleChecks checks) =>
        checks.Require(rate is >= 0 and < 1, $"{section}.drop_path", rate, "a rate, 0 to below 1");

    public static void CheckEpochs(string section, int frozen, int warmup, int epochs, RuleChecks checks)
    {
        checks.Require(
            frozen >= 0 && frozen < Math.Max(1, epochs), $"{section}.freeze_last_layer", frozen,
            $"0 or more, and below optimization.epochs ({epochs}): else the last layer would never learn");
        checks.Require(
            warmup >= 0 && warmup <= Math.Max(1, epochs), $"{section}.warmup_teacher_temp_epochs", warmup, $"0 to optimization.epochs ({epochs})");
    }
}
