using JepaSharp.Data.Cropping;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Features;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Neighbours;

/// <summary>The small pictures by which near-duplicates are told from what an encoder takes for the same.</summary>
internal static class DuplicatePictures
{
    private const int Side = 96;

    /// <summary>How images are brought to size where no encoder says it: whole.</summary>
    public static EvaluationTransform Transform { get; } = EvaluationTransform.Squash(Side);

    /// <summary>Row by row of the features; null where the images of a file of embeddings are not at hand, which is said.</summary>
    /// <param name="work">Images and features.</param>
    /// <param name="asked">How alike they are to look; null where that is not said.</param>
    /// <exception cref="JepaException">They were asked for, and are not at hand.</exception>
    public static FeatureMatrix? Of(NeighbourWork work, double? asked)
    {
        if (work.Input.Session is { } session) return session.Pictures(work.Source, work.Input.Address, work.Features);
        if (asked is -1) return null;
        var missing = work.Input.Embedded is { } embedded && embedded.Found < embedded.Count ? NeighbourInput.NotFound(embedded) : null;
        if (missing is null)
        {
            var made = work.With("pictures", work.Source.Count, progress => FrozenFeatures.Extract(
                [new PictureSignature()], work.Source, Transform, progress: progress, cancellation: work.Stop.Token))[0];
            if (made.Indices.Length == work.Source.Count) return made.Matrix;
            missing = $"{work.Source.Count - made.Indices.Length:n0} of the {Quantity.Of(work.Source.Count, "image")} cannot be read.";
        }

        if (asked is not null) throw new JepaException($"--picture-threshold compares how images look. {missing}", isUsage: true);
        work.Terminal.Error.WriteLine($"note: {missing} The encoder alone decides: what it takes for the same counts as a double.");
        return null;
    }
}
