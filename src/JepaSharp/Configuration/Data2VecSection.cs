namespace JepaSharp.Configuration;

/// <summary>data2vec: its masks, targets and distance, and what its encoder has beside the usual. YAML section <c>data2vec</c>, read where
/// <c>meta.objective</c> is data2vec. Ours.</summary>
/// <remarks>Numbers are those of Baevski et al., ICML 2022, and of the published command for ViT-B/16; what it sets beside this section:
/// <see cref="ObjectiveDefaults"/>. Its view is changed as section <c>views</c> says.</remarks>
public sealed record Data2VecSection
{
    /// <summary>Patches to mask in an image, fewer than it has; null for as large a share as the published 120 of 196. Null.</summary>
    public int? MaskPatches { get; init; }

    /// <summary>The least area of a masked rectangle, in patches. 16.</summary>
    public int MaskLeast { get; init; } = 16;

    /// <summary>The most patches that a rectangle may add; null for as many as are still to be masked. Null.</summary>
    public int? MaskMost { get; init; }

    /// <summary>K: the teacher's last blocks whose outputs are averaged; null for half of them. Null (the published 6 of 12).</summary>
    public int? TargetBlocks { get; init; }

    /// <summary>What of a block is a target. Output.</summary>
    public Data2VecTarget Target { get; init; } = Data2VecTarget.Output;

    /// <summary>Layer-norm each block's output before the mean. True.</summary>
    public bool NormBlocks { get; init; } = true;

    /// <summary>Layer-norm the mean. True (the published commands; the program's own default is false).</summary>
    public bool NormMean { get; init; } = true;

    /// <summary>β of the smooth L1 distance. 2.</summary>
    public double Beta { get; init; } = 2;

    /// <summary>Weight of the term that holds the predictions' deviation above 0.5; 0 for none. 0.</summary>
    public double Variance { get; init; }

    /// <summary>γ to begin with, by which each branch of a block is multiplied, dimension by dimension; 0 for no γ at all. 1e-4.</summary>
    public double LayerScale { get; init; } = 1e-4;

    /// <summary>How the encoder knows where patches are. Relative.</summary>
    public Data2VecPositions Positions { get; init; } = Data2VecPositions.Relative;

    /// <summary>Rate of stochastic depth in the student's last block. 0.25.</summary>
    public double DropPath { get; init; } = 0.25;

    /// <summary>Steps over which the teacher's momentum rises from the first number of <c>optimization.ema</c> to the second; 0 for the second from
    /// the first step on. 0.</summary>
    public int EmaSteps { get; init; }

    /// <summary>Average the teacher's places in the table of relative positions with its weights, as the published program does, so that some are off
    /// by one from the first step on (docs/faithfulness.md). False.</summary>
    public bool AveragePlaces { get; init; }
}

/// <summary>What of the teacher's blocks data2vec predicts. In YAML: output, branch.</summary>
public enum Data2VecTarget
{
    /// <summary>What a block puts out.</summary>
    Output,

    /// <summary>What its MLP adds to that.</summary>
    Branch,
}

/// <summary>How data2vec's encoder knows where patches are. In YAML: relative, absolute.</summary>
public enum Data2VecPositions
{
    /// <summary>By a learned number for each head and difference of places, added to the scores of attention.</summary>
    Relative,

    /// <summary>By a learned number for each dimension of each patch's token.</summary>
    Absolute,
}
