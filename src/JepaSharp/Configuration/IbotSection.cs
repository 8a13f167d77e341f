using JepaSharp.Masking;
using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>iBOT: its heads, temperatures, centres, and what is hidden. YAML section <c>ibot</c>, read where <c>meta.objective</c> is ibot. Ours,
/// with the published names of options.</summary>
/// <remarks>Numbers are those of the published ViT-B/16 (Zhou et al., ICLR 2022). What it sets beside this section: <see cref="ObjectiveDefaults"/>.
/// Its views: <see cref="ViewSection"/>.</remarks>
public sealed record IbotSection
{
    /// <summary>K: outputs of the head for class tokens. 8192.</summary>
    public int OutDim { get; init; } = 8192;

    /// <summary>Outputs of the head for patches, where they have a last layer of their own; as many as <see cref="OutDim"/> where they share it.
    /// 8192.</summary>
    public int PatchOutDim { get; init; } = 8192;

    /// <summary>Whether the student's patches share the last layer of the class tokens. True (every published model; the code's own default is
    /// false).</summary>
    public bool SharedHead { get; init; } = true;

    /// <summary>The same of the teacher; as <see cref="SharedHead"/>. True.</summary>
    public bool SharedHeadTeacher { get; init; } = true;

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

    /// <summary>Temperature of the teacher's outputs for patches at first. 0.04.</summary>
    public double WarmupTeacherPatchTemp { get; init; } = 0.04;

    /// <summary>Temperature of the teacher's outputs for patches after its warm-up. 0.07.</summary>
    public double TeacherPatchTemp { get; init; } = 0.07;

    /// <summary>Epochs over which both of the teacher's temperatures change. 50.</summary>
    public int WarmupTeacherTempEpochs { get; init; } = 50;

    /// <summary>Rate of stochastic depth in the student's last block. 0.1.</summary>
    public double DropPath { get; init; } = 0.1;

    /// <summary>Share of the centre of the teacher's outputs for class tokens that stays in a step. 0.9.</summary>
    public double CenterMomentum { get; init; } = 0.9;

    /// <summary>The same of its outputs for patches. 0.9.</summary>
    public double CenterMomentum2 { get; init; } = 0.9;

    /// <summary>Weight of the loss between views. 1.</summary>
    public double Lambda1 { get; init; } = 1;

    /// <summary>Weight of the loss of hidden patches. 1.</summary>
    public double Lambda2 { get; init; } = 1;

    /// <summary>Two shares of a large view's patches, of which one is hidden, either as often. [0, 0.3].</summary>
    public Interval PredRatio { get; init; } = new(0, 0.3);

    /// <summary>By how much each of the two varies, up and down. [0, 0.2].</summary>
    public Interval PredRatioVar { get; init; } = new(0, 0.2);

    /// <summary>How hidden patches lie: block or rand. Block.</summary>
    public HiddenShape PredShape { get; init; } = HiddenShape.Block;

    /// <summary>The first epoch, from 0, in which anything is hidden; the temperature for patches waits for it too. 0.</summary>
    public int PredStartEpoch { get; init; }
}
