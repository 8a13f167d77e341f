using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Objectives;
using static TorchSharp.torch;

namespace JepaSharp.Outside;

/// <summary>An objective that the library does not know: a student sees one crop and says what a teacher, its average, says of another, less a
/// running centre.</summary>
public sealed class TwoViews : Objective
{
    private static readonly VisionTransformerShape Shape = new()
    {
        ImageHeight = 32,
        ImageWidth = 32,
        PatchSize = 8,
        Width = 32,
        Depth = 2,
        Heads = 2,
        MlpWidth = 64,
    };
    private readonly VisionTransformer _student = new(Shape), _teacher = new(Shape);
    private readonly Tensor _centre = zeros(1, 32);

    public TwoViews() => Initialization.Initialize(_student, seed: 7, stream: 0);

    public override string Name => "two-views";
    public override IReadOnlyList<Network> Networks =>
        [new("student", _student, NetworkRole.Trained), new("teacher", _teacher, NetworkRole.Average, "student")];
    public override IReadOnlyList<View> Views =>
        [new("whole", new TrainingTransform { CropSize = 32 }), new("parts", new TrainingTransform { CropSize = 16 }, Count: 2)];
    public override VisionTransformer Encoder => _teacher;
    public override IReadOnlyList<StateTensor> State => [new("centre", _centre)];
    public override IReadOnlyList<string> Numbers => ["centre_norm"];

    public override Tensor Loss(ViewBatch batch, Step step)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var wanted = _teacher.forward(batch["whole"]).mean([1]);
        step.Move(_centre, wanted.mean([0], keepdim: true), rate: 0.1);
        step.Report("centre_norm", _centre.norm());
        using var learning = enable_grad();
        var said = _student.forward(batch["parts"]).mean([1]);
        return nn.functional.mse_loss(said, (wanted - _centre).repeat(2, 1)).MoveToOuterDisposeScope();
    }
}
