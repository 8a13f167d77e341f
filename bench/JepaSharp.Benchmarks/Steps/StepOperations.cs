namespace JepaSharp.Benchmarks.Steps;

/// <summary>The floating-point operations of the method's matrix products in one step, from the shapes alone.</summary>
/// <remarks>
/// A product [M, K] x [K, N] counts 2 M K N. Counted is the method as published: the target encoder on every patch, forward; the context
/// encoder and the predictor on all their tokens, forward and backward, the backward pass twice the forward one (a gradient for each factor), but
/// for the patch embedding, whose input needs none. What an implementation leaves out because nobody reads it still counts, what it computes twice
/// does not, and neither does what is not a matrix product: so the share of the machine's rate is that of useful work.
/// </remarks>
internal sealed record StepOperations(double TargetEncoder, double ContextEncoder, double Predictor)
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
    public static StepOperations Of(StepShape s)
    {
        var (encoder, predictor) = (s.Encoder, s.Predictor);
        double all = (double)s.Batch * s.Patches, seen = (double)s.Batch * s.Context, asked = (double)s.Batch * s.Target * StepShape.Targets;
        double Embed(double rows) => 2 * rows * encoder.Channels * encoder.PatchSize * encoder.PatchSize * encoder.Width;
        double EncoderBlocks(double rows, int tokens) => encoder.Depth * Block(rows, tokens, encoder.Width, encoder.MlpWidth);
        var length = s.Context + s.Target;
        var predicted = predictor.Depth * Block((double)s.Batch * StepShape.Targets * length, length, predictor.Width, 4 * predictor.Width);
        return new StepOperations(
            Embed(all) + EncoderBlocks(all, s.Patches),
            (2 * Embed(seen)) + (3 * EncoderBlocks(seen, s.Context)),
            3 * ((2 * seen * encoder.Width * predictor.Width) + predicted + (2 * asked * predictor.Width * encoder.Width)));
    }

    private static double Block(double rows, int tokens, int width, int hidden) =>
        (2 * rows * width * ((4.0 * width) + (2.0 * hidden))) + (4 * rows * tokens * width);
}
