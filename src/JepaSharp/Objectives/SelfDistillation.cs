using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What DINO and iBOT share: a student and its average, each an encoder with a head, and how they begin.</summary>
internal static class SelfDistillation
{
    /// <summary>Names of the networks.</summary>
    public const string Student = "student", StudentHead = "student_head", Teacher = "teacher", TeacherHead = "teacher_head";

    /// <summary>What branches are left out by: no image's index.</summary>
    public const long DepthItem = -1;

    /// <summary>Student, its head, teacher, its head: weights not yet set.</summary>
    /// <param name="encoder">Shape of both encoders.</param>
    /// <param name="head">Shape of both heads.</param>
    /// <param name="frozen">Epochs at the start in which the student's last layers stay as they are.</param>
    /// <param name="device">Where they live.</param>
    public static IReadOnlyList<Network> Networks(VisionTransformerShape encoder, ProjectionHeadShape head, int frozen, Device? device) =>
    [
        new(Student, new VisionTransformer(encoder, device), NetworkRole.Trained) { ClipsEach = true },
        new(StudentHead, new ProjectionHead(head, device), NetworkRole.Trained)
        {
            ClipsEach = true,
            FrozenEpochs = name => FrozenEpochs(name, head.LearnsLengths, frozen),
        },
        new(Teacher, new VisionTransformer(encoder, device), NetworkRole.Average, Student),
        new(TeacherHead, new ProjectionHead(head, device), NetworkRole.Average, StudentHead),
    ];

    /// <summary>The student's initial weights, and the teacher's, which are the same.</summary>
    /// <remarks>Tokens, positions and linear layers: normal of deviation 0.02, biases 0; norms 1 and 0. Patch embedding: uniform within 1 / √(C P²),
    /// weight and bias, as a convolution of PyTorch begins. The head: <see cref="ProjectionHead.Initialize"/>.</remarks>
    public static void Initialize(IReadOnlyList<Network> networks, ulong seed)
    {
        var (student, head) = ((VisionTransformer)networks[0].Module, (ProjectionHead)networks[1].Module);
        Initialization.Initialize(student, seed, stream: 0);
        head.Initialize(seed, stream: 1);
        var shape = student.Shape;
        using (no_grad())
        {
            var index = 0;
            foreach (var (name, parameter) in student.named_parameters().Where(p => p.name.StartsWith("patch_embed.", StringComparison.Ordinal)))
                Initialization.Uniform_(parameter, 1 / Math.Sqrt((double)shape.Channels * shape.PatchSize * shape.PatchSize),
                    new RandomStream(seed, RandomPurpose.Initialization, 2, index++).NextUInt64());
        }

        Objective.StartAverage(networks[2].Module, student);
        Objective.StartAverage(networks[3].Module, head);
    }

    /// <summary>All large views, one after the other. -> [Q B, 3, S, S].</summary>
    public static Tensor Large(IReadOnlyList<View> views, ViewBatch batch) =>
        views.Count == 1 ? batch[views[0].Name] : cat([.. views.Select(v => batch[v.Name])]);

    private static double FrozenEpochs(string name, bool learnsLengths, int frozen)
    {
        if (!name.StartsWith(ProjectionHead.LastLayer, StringComparison.Ordinal)) return 0;
        return !learnsLengths && name.EndsWith(NormalizedRows.Lengths, StringComparison.Ordinal) ? Network.Always : frozen;
    }
}
