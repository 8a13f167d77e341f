using JepaSharp.Data.Loading;

namespace JepaSharp.Objectives;

/// <summary>What LeJEPA's loss and its gradients take.</summary>
internal static class LeJepaOperations
{
    /// <summary>Floating-point operations of a batch: the encoder on views of each size, head and projector on all, and the products with
    /// directions, which want no gradient.</summary>
    public static StepOperations Of(LeJepaOptions options, int images)
    {
        double rows = (double)images * options.Views.Sum(v => v.Count);
        var sketch = 2 * rows * options.Projection * options.Directions;
        return StepOperations.Sum(
        [
            new StepOperations([.. options.Views.Select(v => NetworkOperations.OfEncoder(
                "backbone", NetworkRole.Trained, options.Encoder, (double)images * v.Count, PatchesOf(options, v)))]),
            new StepOperations(
            [
                NetworkOperations.OfHead("head", rows, options.Encoder.Width, options.Embedding),
                NetworkOperations.OfHead("projector", rows, options.Embedding, options.Hidden),
                NetworkOperations.OfHead("projector", rows, options.Hidden, options.Hidden),
                NetworkOperations.OfHead("projector", rows, options.Hidden, options.Projection),
                new NetworkOperations("projector", NetworkRole.Trained, sketch, sketch),
            ]),
        ]);
    }

    /// <summary>Multiplications for an image, about: the statistic's sines and cosines count as one each.</summary>
    public static ObjectiveCost CostOf(LeJepaOptions options)
    {
        var shape = options.Encoder;
        double Through(int patches) => ObjectiveCost.OfBlocks(shape.Depth, shape.Width, shape.MlpWidth, patches + 1);
        var views = options.Views.Sum(v => v.Count);
        var projector = ((double)shape.Width * options.Embedding)
            + ((double)options.Hidden * (options.Embedding + options.Hidden + options.Projection));
        var statistic = (double)options.Directions * (options.Projection + (2.0 * options.Knots));
        var seen = options.Views.Sum(v => v.Count * Through(PatchesOf(options, v))) + (views * (projector + statistic));
        return new ObjectiveCost(Through(shape.Patches), 0, seen, 3 * seen);
    }

    private static int PatchesOf(LeJepaOptions options, View view)
    {
        var side = view.Transform.CropSize / options.Encoder.PatchSize;
        return side * side;
    }
}
