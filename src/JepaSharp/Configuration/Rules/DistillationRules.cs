namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section distill, where it is read. What the teacher's file holds is seen when it is opened.</summary>
internal static class DistillationRules
{
    public static void Check(PretrainOptions options, RuleChecks checks)
    {
        if (options.Meta.Objective != MetaOptions.Distillation) return;
        var distill = options.Distill;
        checks.Require(
            !string.IsNullOrWhiteSpace(distill.Teacher), "distill.teacher", distill.Teacher,
            "the weights of the encoder that teaches: --teacher PATH, or this key");
        checks.NotEmpty(distill.TeacherEncoder, "distill.teacher_encoder");
        checks.AtLeast(1, distill.TeacherHeads, "distill.teacher_heads");
        checks.AtLeast(1, distill.TeacherSize, "distill.teacher_size");
        checks.Require(
            distill.ClassWeight >= 0 && double.IsFinite(distill.ClassWeight), "distill.class_weight", distill.ClassWeight, "0 or more");
    }
}
