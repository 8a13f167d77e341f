using JepaSharp.Models;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>A trained I-JEPA that is asked and never changed: what it says of a block of an image, as one row of numbers.</summary>
/// <param name="context">Encodes what is seen; taken over.</param>
/// <param name="predictor">Predicts representations; taken over.</param>
/// <param name="target">Encodes whole images; taken over.</param>
public sealed class FrozenJepa(VisionTransformer context, Predictor predictor, VisionTransformer target) : IDisposable
{
    private readonly Lazy<string> _fingerprint = new(
        () => $"{WeightsFingerprint.Of(context)}-{WeightsFingerprint.Of(predictor)}-{WeightsFingerprint.Of(target)}");

    /// <summary>Encodes what is seen.</summary>
    public VisionTransformer ContextEncoder => context;

    /// <summary>Predicts representations.</summary>
    public Predictor Predictor => predictor;

    /// <summary>Encodes whole images.</summary>
    public VisionTransformer TargetEncoder => target;

    /// <summary>How its pixels were normalised in its training.</summary>
    public ChannelScale Pixels { get; init; } = ChannelScale.ImageNet;

    /// <summary>What it is called in sentences, such as its file.</summary>
    public string Name { get; init; } = "weights";

    /// <summary>Shape of both encoders.</summary>
    public VisionTransformerShape Shape => target.Shape;

    /// <summary>Tells its weights from any others': three SHA-256, of context encoder, predictor and target encoder.</summary>
    public string Fingerprint => _fingerprint.Value;

    /// <summary>What the predictor says of each set of patches, averaged over them (I-JEPA, section 8). -> float32 [M B, D].</summary>
    /// <param name="images">[B, C, S, S], normalised for it.</param>
    /// <param name="seen">Context: one set of patches an image.</param>
    /// <param name="asked">M sets of patches an image.</param>
    public Tensor Predicted(Tensor images, PatchSelection seen, PatchSelection asked)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        return Predictor.Predict(ContextEncoder.Encode(images, seen), seen, asked).to(float32).mean([1L]).MoveToOuterDisposeScope();
    }

    /// <summary>What the target encoder, which sees the whole image, says of each set of patches: layer-normed as targets are, averaged. -> float32
    /// [M B, D].</summary>
    /// <param name="images">[B, C, S, S], normalised for it.</param>
    /// <param name="asked">M sets of patches an image.</param>
    public Tensor Target(Tensor images, PatchSelection asked)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        return ImageJepa.Normalized(TargetEncoder.EncodeWhole(images, asked)).mean([1L]).MoveToOuterDisposeScope();
    }

    /// <summary>What the context encoder says of what it sees, averaged. -> float32 [B, D].</summary>
    /// <param name="images">[B, C, S, S], normalised for it.</param>
    /// <param name="seen">One set of patches an image.</param>
    public Tensor Context(Tensor images, PatchSelection seen)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        return ContextEncoder.Encode(images, seen).to(float32).mean([1L]).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        context.Dispose();
        predictor.Dispose();
        target.Dispose();
    }
}
