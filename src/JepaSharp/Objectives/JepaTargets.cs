using JepaSharp.Configuration;
using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What there is to predict of target patches: the paper's representations, and what its tables 7 and 11 compare with them.</summary>
internal static class JepaTargets
{
    /// <summary>Of every target patch. No gradient. [B, C, H, W] -> float32 [Mt B, Kt, D], or [Mt B, Kt, P P C] of pixels.</summary>
    /// <remarks>
    /// Representations are masked at the target encoder's output: the whole image is encoded and then cut, so that target patches see all of it.
    /// Masked at its input, each target goes through it alone. Pixels go through no encoder; normalised ones pass the very layer norm that
    /// representations do, so that nothing else differs. Deviation: MAE's own normalisation divides by the root of the unbiased variance plus 1e-6.
    /// </remarks>
    public static Tensor Of(ImageJepa objective, Tensor images, PatchSelection targets)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var encoder = objective.TargetEncoder;
        return (objective.Options switch
        {
            { Target: JepaTarget.PlainPixels } => Pixels(images, targets, encoder.Shape.PatchSize),
            { Target: JepaTarget.Pixels } => ImageJepa.Normalized(Pixels(images, targets, encoder.Shape.PatchSize)),
            { MaskTarget: TargetMasking.Input } => ImageJepa.Normalized(encoder.Encode(images, targets)),
            _ => ImageJepa.Normalized(encoder.EncodeWhole(images, targets)),
        }).MoveToOuterDisposeScope();
    }

    /// <summary>What is asked of a target, as the middle of a question.</summary>
    public static string Question(ImageJepaOptions options) => options switch
    {
        { Target: not JepaTarget.Representations } => "which pixels are in",
        { MaskTarget: TargetMasking.Input } => "what does the target encoder, which sees one target alone, say of",
        _ => "what does the target encoder say of",
    };

    /// <summary>What is predicted where it is not what the paper's method predicts, as the end of a sentence; nothing where it is.</summary>
    public static string Note(JepaTarget target, TargetMasking masking) => (target, masking) switch
    {
        (JepaTarget.Pixels, _) => "; predicted are pixels, normalised in each patch",
        (JepaTarget.PlainPixels, _) => "; predicted are pixels",
        (_, TargetMasking.Input) => "; the target encoder sees one target alone",
        _ => "",
    };

    private static Tensor Pixels(Tensor images, PatchSelection targets, int patch) =>
        PatchPixels.Of(images, patch).flatten(0, 1).index_select(0, targets.Rows)
            .view((long)targets.Sets * targets.Images, targets.PatchesPerSet, -1);
}
