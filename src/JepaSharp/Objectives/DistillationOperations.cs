namespace JepaSharp.Objectives;

/// <summary>What distillation's loss and its gradients take.</summary>
internal static class DistillationOperations
{
    /// <summary>Floating-point operations of a batch: the student and its head, and the teacher forward.</summary>
    public static StepOperations Of(DistillationOptions options, int images)
    {
        var (student, teacher) = (options.Student, options.Teacher.Shape);
        List<NetworkOperations> networks =
        [
            NetworkOperations.OfEncoder("encoder", NetworkRole.Trained, student, images, student.Patches),
            NetworkOperations.OfHead("head", (double)images * student.Patches, student.Width, teacher.Width),
            NetworkOperations.OfEncoder("teacher", NetworkRole.Frozen, teacher, images, TeacherPatches(options)),
        ];
        if (options.ComparesClassTokens) networks.Add(NetworkOperations.OfHead("head", images, student.Width, teacher.Width));
        return StepOperations.Sum([new StepOperations(networks)]);
    }

    /// <summary>Multiplications for an image, about.</summary>
    public static ObjectiveCost CostOf(DistillationOptions options)
    {
        var (student, teacher) = (options.Student, options.Teacher.Shape);
        var learning = ObjectiveCost.OfBlocks(student.Depth, student.Width, student.MlpWidth, student.Tokens);
        var teaching = ObjectiveCost.OfBlocks(teacher.Depth, teacher.Width, teacher.MlpWidth, TeacherPatches(options) + 1);
        return new ObjectiveCost(learning, 0, learning + teaching, (3 * learning) + teaching);
    }

    private static int TeacherPatches(DistillationOptions options)
    {
        var side = options.SizeForTeacher / options.Teacher.Shape.PatchSize;
        return side * side;
    }
}
