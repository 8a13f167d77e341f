using JepaSharp.Data.Loading;
using JepaSharp.Models;

namespace JepaSharp.Objectives;

/// <summary>What DINO's loss and its gradients take.</summary>
internal static class DinoOperations
{
    /// <summary>Floating-point operations of a batch: the student and its head on all views, the teacher and its head on the large ones, and the
    /// product of W with the mean of what the teacher's is given.</summary>
    public static StepOperations Of(DinoOptions options, int images)
    {
        double large = (double)images * options.LargeViews, all = (double)images * options.Views.Sum(v => v.Count);
        return StepOperations.Sum(
        [
            Encoders(SelfDistillation.Student, NetworkRole.Trained, options.Encoder, options.Views, images),
            Encoders(SelfDistillation.Teacher, NetworkRole.Average, options.Encoder, options.Global, images),
            new StepOperations(
            [
                .. Perceptron(SelfDistillation.StudentHead, NetworkRole.Trained, options.Head, all),
                NetworkOperations.OfHead(SelfDistillation.StudentHead, all, options.Head.Narrow, options.Head.Outputs),
                .. Perceptron(SelfDistillation.TeacherHead, NetworkRole.Average, options.Head, large),
                NetworkOperations.OfHead(SelfDistillation.TeacherHead, NetworkRole.Average, large + 1, options.Head.Narrow, options.Head.Outputs),
            ]),
        ]);
    }

    /// <summary>An encoder on some views of images.</summary>
    public static StepOperations Encoders(string name, NetworkRole role, VisionTransformerShape shape, IEnumerable<View> views, int images) =>
        new([.. views.Select(v => NetworkOperations.OfEncoder(name, role, shape, (double)images * v.Count, PatchesOf(shape, v)))]);

    /// <summary>A head's perceptron on rows.</summary>
    public static IEnumerable<NetworkOperations> Perceptron(string name, NetworkRole role, ProjectionHeadShape head, double rows) =>
    [
        NetworkOperations.OfHead(name, role, rows, head.Inputs, head.Hidden),
        NetworkOperations.OfHead(name, role, rows, head.Hidden, head.Hidden),
        NetworkOperations.OfHead(name, role, rows, head.Hidden, head.Narrow),
    ];

    /// <summary>Multiplications for an image, about.</summary>
    public static ObjectiveCost CostOf(DinoOptions options)
    {
        var (shape, head) = (options.Encoder, options.Head);
        double Through(IEnumerable<View> views) => views.Sum(v => v.Count * Block(shape, PatchesOf(shape, v)));
        double rows = options.Views.Sum(v => v.Count);
        var of = HeadOf(head, head.Outputs);
        var (student, teacher) = (Through(options.Views) + (rows * of), Through(options.Global) + (options.LargeViews * of));
        return new ObjectiveCost(Block(shape, shape.Patches), Block(shape, shape.Patches), student + teacher, (3 * student) + teacher);
    }

    /// <summary>Multiplications of an image's tokens through the blocks.</summary>
    public static double Block(VisionTransformerShape shape, int patches) =>
        ObjectiveCost.OfBlocks(shape.Depth, shape.Width, shape.MlpWidth, patches + 1);

    /// <summary>Multiplications of a row through a head.</summary>
    public static double HeadOf(ProjectionHeadShape head, double outputs) =>
        ((double)head.Hidden * (head.Inputs + head.Hidden + head.Narrow)) + (head.Narrow * outputs);

    /// <summary>Patches of a view's crop.</summary>
    public static int PatchesOf(VisionTransformerShape shape, View view)
    {
        var side = view.Transform.CropSize / shape.PatchSize;
        return side * side;
    }
}
