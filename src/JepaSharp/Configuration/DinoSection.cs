namespace JepaSharp.Configuration;

/// <summary>DINO: its head, temperatures and centre. YAML section <c>dino</c>, read where <c>meta.objective</c> is dino. Ours, with the published
/// names of options.</summary>
/// <remarks>Numbers are those of the published ViT-B/16 (Caron et al., ICCV 2021). What it sets beside this section:
/// <see cref="ObjectiveDefaults"/>. Its
/// views: <see cref="ViewSection"/>.</remarks>
public sealed record DinoSection
{
    /// <summary>K: outputs of the head. 65536.</summary>
    public int OutDim { get; init; } = 65536;

    /// <summary>Width of the head's two hidden layers. 2048.</summary>
    public int HeadHidden { get; init; } = 2048;

    /// <summary>H: numbers at the head's narrow place, whose length is made 1. 256.</summary>
    public int HeadBottleneck { get; init; } = 256;

    /// <summary>Whether the rows of the head's last layer keep their length of 1; else it is learned, and decayed. True.</summary>
    public bool NormLastLayer { get; init; } = true;

    /// <summary>Epochs at the start in which the student's last layer stays as it is. 3.</summary>
    public int FreezeLastLayer { get; init; } = 3;

    /// <summary>Temperature of the student's outputs. 0.1.</summary>
    public double StudentTemp { get; init; } = 0.1;

    /// <summary>Temperature of the teacher's outputs at first. 0.04.</summary>
    public double WarmupTeacherTemp { get; init; } = 0.04;

    /// <summary>Temperature of the teacher's outputs after its warm-up. 0.07.</summary>
    public double TeacherTemp { get; init; } = 0.07;

    /// <summary>Epochs over which the teacher's temperature changes. 50.</summary>
    public int WarmupTeacherTempEpochs { get; init; } = 50;

    /// <summary>Rate of stochastic depth in the student's last block. 0.1.</summary>
    public double DropPath { get; init; } = 0.1;

    /// <summary>Share of the centre of the teacher's outputs that stays in a step. 0.9.</summary>
    public double CenterMomentum { get; init; } = 0.9;
}
