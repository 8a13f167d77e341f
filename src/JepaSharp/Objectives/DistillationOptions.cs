using JepaSharp.Configuration;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;

namespace JepaSharp.Objectives;

/// <summary>Everything that fixes a <see cref="Distillation"/>.</summary>
public sealed record DistillationOptions
{
    /// <summary>Shape of the encoder that learns.</summary>
    public required VisionTransformerShape Student { get; init; }

    /// <summary>The encoder that teaches, on the device of the other networks; taken over, never changed.</summary>
    public required VisionTransformer Teacher { get; init; }

    /// <summary>What the teacher is called in sentences, such as its file.</summary>
    public string TeacherName { get; init; } = "teacher";

    /// <summary>How the student's pixels are normalised.</summary>
    public ChannelScale Pixels { get; init; } = ChannelScale.ImageNet;

    /// <summary>How the teacher's pixels were normalised in its own training.</summary>
    public ChannelScale TeacherPixels { get; init; } = ChannelScale.ImageNet;

    /// <summary>Side to which crops are brought for the teacher; null for their own.</summary>
    public int? TeacherSize { get; init; }

    /// <summary>Weight of class tokens beside patches, where both encoders have one.</summary>
    public double ClassWeight { get; init; } = 1;

    /// <summary>Distance between what is said and what the teacher says.</summary>
    public JepaLoss Loss { get; init; } = JepaLoss.SmoothL1;

    /// <summary>The crop that is made of an image.</summary>
    public View View
    {
        get => field ??= new View("image", new TrainingTransform
        {
            CropSize = Student.ImageHeight,
            Augmentations = new Augmentations { Flip = 0.5 },
        });
        init;
    }

    /// <summary>Seed of the initial weights.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether class tokens are compared.</summary>
    internal bool ComparesClassTokens => Student.ClassToken && Teacher.Shape.ClassToken && ClassWeight > 0;

    /// <summary>Side of what the teacher sees.</summary>
    internal int SizeForTeacher => TeacherSize ?? View.Transform.CropSize;

    /// <summary>What keeps the teacher from teaching, as a sentence; null where nothing does.</summary>
    public string? Obstacle()
    {
        var (teacher, size) = (Teacher.Shape, SizeForTeacher);
        if (size % teacher.PatchSize != 0)
            return $"The teacher's patches of {teacher.PatchSize} pixels do not divide crops of {size}: bring crops to a multiple for it "
                + $"(distill.teacher_size {NearestTo(size, teacher.PatchSize)}).";
        if (teacher.Channels != Student.Channels) return $"The teacher sees {teacher.Channels} channels, the student {Student.Channels}.";
        if (Student.ClassToken && !teacher.ClassToken)
            return "The student has a class token and the teacher none to teach it: set distill.class_token to false.";
        return null;
    }

    private static int NearestTo(int size, int patch) => Math.Max(1, (int)Math.Round((double)size / patch)) * patch;
}

/// <summary>Mean and deviation of each channel, of values in [0, 1], by which pixels are normalised.</summary>
/// <param name="Mean">[C].</param>
/// <param name="Deviation">[C], positive.</param>
public sealed record ChannelScale(IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>ImageNet's.</summary>
    public static ChannelScale ImageNet { get; } = new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
}
