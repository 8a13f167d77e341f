using JepaSharp.Objectives;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>The floating-point operations of the method's matrix products in one step, as runs count them: <see cref="StepOperations"/>.</summary>
internal sealed record CountedStep(double TargetEncoder, double ContextEncoder, double Predictor)
{
    /// <summary>How it is counted, for people.</summary>
    public const string Formula =
        """
        block(R rows, N tokens a sequence, D wide, F hidden) = 2 R D (3 D + D + 2 F) + 4 R N D
        target encoder  = embed(B N) + L block(B N, N)                              forward
        context encoder = 2 embed(B Kc) + 3 L block(B Kc, Kc)                       forward and backward
        predictor       = 3 (B Kc D E 2 + P block(4 B (Kc + Kt), Kc + Kt) + 4 B Kt E D 2)
        embed(R) = 2 R (3 P^2) D; B images, N patches, Kc context, Kt target patches, L and P blocks deep, D and E wide
        """;

    /// <summary>All of it.</summary>
    public double Total => TargetEncoder + ContextEncoder + Predictor;

    /// <summary>Counts a step of one micro-batch.</summary>
    public static CountedStep Of(StepShape s) => new(
        NetworkOperations.OfEncoder("target_encoder", NetworkRole.Average, s.Encoder, s.Batch, s.Patches).Total,
        NetworkOperations.OfEncoder("encoder", NetworkRole.Trained, s.Encoder, s.Batch, s.Context).Total,
        NetworkOperations.OfPredictor(
            "predictor", s.Predictor, s.Encoder.Width, s.Batch, s.Context, s.Batch * StepShape.Targets, s.Target).Total);
}
