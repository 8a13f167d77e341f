namespace JepaSharp.Objectives;

/// <summary>What iBOT's loss and its gradients take.</summary>
internal static class IbotOperations
{
    /// <summary>Floating-point operations of a batch: the student on all views, the teacher on the large ones; the student's head on class tokens and
    /// hidden patches, the teacher's perceptron on all tokens and its last layer on what is compared, and on two means.</summary>
    /// <param name="options">The objective's.</param>
    /// <param name="images">B.</param>
    /// <param name="hidden">Hidden patches of the batch.</param>
    public static StepOperations Of(IbotOptions options, int images, long hidden)
    {
        var (head, encoder) = (options.Head, options.Encoder);
        double large = (double)images * options.LargeViews, all = (double)images * options.Views.Sum(v => v.Count);
        var patchOutputs = head.PatchOutputs ?? head.Outputs;
        const string student = SelfDistillation.StudentHead, teacher = SelfDistillation.TeacherHead;
        return StepOperations.Sum(
        [
            DinoOperations.Encoders(SelfDistillation.Student, NetworkRole.Trained, encoder, options.Views, images),
            DinoOperations.Encoders(SelfDistillation.Teacher, NetworkRole.Average, encoder, options.Global, images),
            new StepOperations(
            [
                .. DinoOperations.Perceptron(student, NetworkRole.Trained, head, all + hidden),
                NetworkOperations.OfHead(student, all, head.Narrow, head.Outputs),
                NetworkOperations.OfHead(student, hidden, head.Narrow, patchOutputs),
                .. DinoOperations.Perceptron(teacher, NetworkRole.Average, head, large * encoder.Tokens),
                NetworkOperations.OfHead(teacher, NetworkRole.Average, large + 1, head.Narrow, head.Outputs),
                NetworkOperations.OfHead(teacher, NetworkRole.Average, hidden + 1, head.Narrow, patchOutputs),
            ]),
        ]);
    }

    /// <summary>Multiplications for an image, about.</summary>
    public static ObjectiveCost CostOf(IbotOptions options)
    {
        var (shape, head) = (options.Encoder, options.Head);
        var share = options.Hidden.Ratios.Average();
        double hidden = options.LargeViews * share * shape.Patches, views = options.Views.Sum(v => v.Count);
        var student = options.Views.Sum(v => v.Count * DinoOperations.Block(shape, DinoOperations.PatchesOf(shape, v)))
            + ((views + hidden) * DinoOperations.HeadOf(head, head.Outputs));
        var teacher = options.LargeViews * (DinoOperations.Block(shape, shape.Patches) + (shape.Tokens * DinoOperations.HeadOf(head, 0)));
        return new ObjectiveCost(
            DinoOperations.Block(shape, shape.Patches), DinoOperations.Block(shape, shape.Patches), student + teacher, (3 * student) + teacher);
    }
}
