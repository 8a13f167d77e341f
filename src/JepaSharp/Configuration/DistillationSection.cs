namespace JepaSharp.Configuration;

/// <summary>Distillation: the encoder that teaches, and what is learned of it. YAML section <c>distill</c>, read where <c>meta.objective</c> is
/// distill. Ours.</summary>
/// <remarks>How what is said is compared with what the teacher says: <see cref="OptimizationOptions.Loss"/>.</remarks>
public sealed record DistillationSection
{
    /// <summary>The teacher's weights: anything that <c>--weights</c> reads. Null: none, which is refused.</summary>
    public string? Teacher { get; init; }

    /// <summary>Which encoder of the file, by its name; null for the one that is to be used. Null.</summary>
    public string? TeacherEncoder { get; init; }

    /// <summary>Attention heads of the teacher, where neither its file nor its width tells. Null.</summary>
    public int? TeacherHeads { get; init; }

    /// <summary>Side in pixels to which crops are brought for the teacher, a multiple of its patch; null for their own. Null.</summary>
    public int? TeacherSize { get; init; }

    /// <summary>Whether the student has a class token, which learns from the teacher's. False: an image is its patches' average.</summary>
    public bool ClassToken { get; init; }

    /// <summary>Weight of the class token beside the patches. 1.</summary>
    public double ClassWeight { get; init; } = 1;
}
