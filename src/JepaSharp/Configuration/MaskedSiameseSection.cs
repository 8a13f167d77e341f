namespace JepaSharp.Configuration;

/// <summary>MSN: how much of a view is masked, its head and prototypes, and how its loss's terms are weighed. YAML section <c>msn</c>, read where
/// <c>meta.objective</c> is msn. Ours.</summary>
/// <remarks>Numbers are those of Assran et al., ECCV 2022, and of the published configuration of ViT-S/16; what it sets beside this section:
/// <see cref="ObjectiveDefaults"/>. Its views: <see cref="ViewSection"/>, whose first global view is the target, and the others masked
/// anchors.</remarks>
public sealed record MaskedSiameseSection
{
    /// <summary>Share of a masked view's patches that the encoder does not see, in [0, 1): of N patches floor(N (1 - share)) are left. 0.15
    /// (ViT-S/16; ViT-B/4 0.7).</summary>
    public double PatchDrop { get; init; } = 0.15;

    /// <summary>Mask every view otherwise, as the paper's text reads, rather than all of a batch alike. False (published code).</summary>
    public bool MaskPerImage { get; init; }

    /// <summary>K: prototypes. 1024.</summary>
    public int Prototypes { get; init; } = 1024;

    /// <summary>Width of the head's two hidden layers. 2048.</summary>
    public int Hidden { get; init; } = 2048;

    /// <summary>d: numbers of a projection, and of a prototype. 256.</summary>
    public int Projection { get; init; } = 256;

    /// <summary>τ: the smaller, the more of a view goes to its nearest prototype. 0.1.</summary>
    public double Temperature { get; init; } = 0.1;

    /// <summary>T of targets in the first step: the smaller, the sharper. 0.25.</summary>
    public double StartSharpen { get; init; } = 0.25;

    /// <summary>T of targets that the end of the schedules approaches, linearly. 0.25.</summary>
    public double FinalSharpen { get; init; } = 0.25;

    /// <summary>ε: how much of every view is shared out equally. 0.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Balance targets, so that every prototype has about the same share of a batch. True (published configuration; the paper's text has the
    /// mean entropy in its place).</summary>
    public bool Sinkhorn { get; init; } = true;

    /// <summary>Weight of the term that asks for all prototypes to be used alike. 1.</summary>
    public double MeanEntropy { get; init; } = 1;

    /// <summary>Weight of the term that asks for every anchor to be decided. 0 (published configuration).</summary>
    public double Entropy { get; init; }
}
