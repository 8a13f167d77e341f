using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Models;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What a decoder learns from: pictures, and of each the representation that it is to be drawn from.</summary>
public abstract class DecodedPairs : IDisposable
{
    /// <summary>D: numbers of a representation.</summary>
    public abstract int Width { get; }

    /// <summary>What the loader makes of an image.</summary>
    public abstract View View { get; }

    /// <summary>The networks that representations come from, none of which is trained.</summary>
    public abstract IReadOnlyList<Network> Networks { get; }

    /// <summary>The encoder among them that is measured and handed over, unchanged.</summary>
    public abstract VisionTransformer Encoder { get; }

    /// <summary>What is decoded, as the end of a sentence.</summary>
    public abstract string Description { get; }

    /// <summary>What is said of them in files of weights.</summary>
    public abstract IReadOnlyDictionary<string, string> Facts { get; }

    /// <summary>The pairs of a batch, without gradients.</summary>
    /// <param name="batch">Views of B images.</param>
    /// <param name="step">What is drawn is keyed by it.</param>
    /// <returns>Pictures float32 [B, 3, S, S] from -1 to 1, and representations float32 [B, D].</returns>
    public abstract (Tensor Pictures, Tensor Conditions) Of(ViewBatch batch, Step step);

    /// <summary>Floating-point operations of <see cref="Of"/>; null where it takes none.</summary>
    /// <param name="indices">A batch of images.</param>
    /// <param name="step">What is drawn is keyed by it.</param>
    public virtual StepOperations? Operations(IReadOnlyList<int> indices, Step step) => null;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes of what is held beside <see cref="Networks"/>, which the objective disposes of.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Pictures that an image source has, with representations that were computed once.</summary>
/// <remarks>A step then costs what the decoder costs, whatever the encoder: for a fixed set of images and masks.</remarks>
public sealed class KeptPairs : DecodedPairs
{
    /// <summary>How pictures have to be normalised: to -1..1.</summary>
    public static ChannelScale Pixels { get; } = new([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);

    private readonly Tensor _conditions;

    /// <param name="conditions">float32 [n, D]: row i is of image i of the source; taken over.</param>
    /// <param name="encoder">The encoder that they come from; taken over, its weights in no checkpoint.</param>
    /// <param name="size">S: side of the pictures.</param>
    /// <param name="description">What is decoded, as the end of a sentence.</param>
    /// <param name="facts">What is said of them in files of weights.</param>
    public KeptPairs(Tensor conditions, VisionTransformer encoder, int size, string description, IReadOnlyDictionary<string, string> facts)
    {
        _conditions = conditions;
        (Encoder, Description, Facts) = (encoder, description, facts);
        var whole = new RandomResizedCrop { MinScale = 1, MaxScale = 1, MinAspect = 1, MaxAspect = 1 };
        View = new View("image", new TrainingTransform { CropSize = size, Crop = whole, Augmentations = new Augmentations() });
        Networks = [new("target_encoder", encoder, NetworkRole.Frozen) { IsSaved = false }];
    }

    /// <inheritdoc/>
    public override int Width => (int)_conditions.shape[1];

    /// <inheritdoc/>
    public override View View { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Network> Networks { get; }

    /// <inheritdoc/>
    public override VisionTransformer Encoder { get; }

    /// <inheritdoc/>
    public override string Description { get; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Facts { get; }

    /// <summary>All representations: float32 [n, D].</summary>
    internal Tensor Conditions => _conditions;

    /// <inheritdoc/>
    public override (Tensor Pictures, Tensor Conditions) Of(ViewBatch batch, Step step)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var rows = DeviceCopies.Upload([.. batch.Indices.Select(i => (long)i)], _conditions.device);
        return (batch[View.Name].alias(), _conditions.index_select(0, rows));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _conditions.Dispose();
        base.Dispose(disposing);
    }
}
