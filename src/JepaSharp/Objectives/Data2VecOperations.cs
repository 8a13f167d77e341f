namespace JepaSharp.Objectives;

/// <summary>What data2vec's loss and its gradients take.</summary>
internal static class Data2VecOperations
{
    /// <summary>Floating-point operations of a batch: the student on all tokens, the head on masked patches, the teacher on whole images as far as
    /// its last target.</summary>
    public static StepOperations Of(Data2VecOptions options, MaskedPatches masks)
    {
        var shape = options.Encoder;
        var images = masks.ByImage.Count;
        return new StepOperations(
        [
            NetworkOperations.OfEncoder(Data2Vec.StudentName, NetworkRole.Trained, shape, images, shape.Patches),
            NetworkOperations.OfHead(Data2Vec.HeadName, masks.Count, shape.Width, shape.Width),
            NetworkOperations.OfEncoder(
                Data2Vec.TeacherName, NetworkRole.Average, shape with { Depth = options.TargetBlocks[^1] + 1 }, images, shape.Patches),
        ]);
    }

    /// <summary>Multiplications for an image, about.</summary>
    public static ObjectiveCost CostOf(Data2VecOptions options)
    {
        var shape = options.Encoder;
        double Through(int blocks) => ObjectiveCost.OfBlocks(blocks, shape.Width, shape.MlpWidth, shape.Tokens);
        var (whole, teacher) = (Through(shape.Depth), Through(options.TargetBlocks[^1] + 1));
        return new ObjectiveCost(whole, whole, whole + teacher, teacher + (3 * whole));
    }
}
