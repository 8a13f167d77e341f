using JepaSharp.Configuration;
using JepaSharp.Masking;

namespace JepaSharp.Objectives;

/// <summary>Floating-point operations of I-JEPA's loss and its gradients.</summary>
internal static class JepaOperations
{
    /// <summary>Context encoder on contexts, predictor on every target block from every context, and the target encoder on what the targets are made
    /// of: whole images, every target block alone, or, where pixels are predicted, nothing.</summary>
    public static StepOperations Of(ImageJepaOptions options, MaskBatch masks)
    {
        var (encoder, contexts) = (options.Encoder, (double)masks.Batch * masks.ContextBlocks);
        var predictor = options.Predictor with { Outputs = ImageJepaOptions.OutputsOf(options.Target, encoder) };
        List<NetworkOperations> networks =
        [
            NetworkOperations.OfEncoder("encoder", NetworkRole.Trained, encoder, contexts, masks.ContextLength),
            NetworkOperations.OfPredictor(
                "predictor", predictor, encoder.Width, contexts, masks.ContextLength, contexts * masks.TargetBlocks, masks.TargetLength),
        ];
        if (options.Target == JepaTarget.Representations)
        {
            networks.Add(options.MaskTarget == TargetMasking.Input
                ? NetworkOperations.OfEncoder(
                    "target_encoder", NetworkRole.Average, encoder, (double)masks.Batch * masks.TargetBlocks, masks.TargetLength)
                : NetworkOperations.OfEncoder("target_encoder", NetworkRole.Average, encoder, masks.Batch, masks.Grid.Count));
        }

        return new StepOperations(networks);
    }
}
