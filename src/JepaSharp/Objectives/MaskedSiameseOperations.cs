using JepaSharp.Data.Loading;

namespace JepaSharp.Objectives;

/// <summary>What MSN's loss and its gradients take.</summary>
internal static class MaskedSiameseOperations
{
    /// <summary>Floating-point operations of a batch: encoder and head on anchors, their averages on targets, and the products of both with
    /// prototypes.</summary>
    public static StepOperations Of(MaskedSiameseOptions options, int images)
    {
        double anchors = (double)images * options.Anchors;
        var product = 2.0 * options.Projection * options.Prototypes;
        var learned = product * anchors;
        return StepOperations.Sum(
        [
            new StepOperations([Encoder("encoder", NetworkRole.Trained, options.Anchor, options.Kept)]),
            new StepOperations(options.Focal is { } focal ? [Encoder("encoder", NetworkRole.Trained, focal, PatchesOf(options, focal))] : []),
            new StepOperations([.. Head("head", anchors)]),
            new StepOperations([new NetworkOperations("prototypes", NetworkRole.Trained, learned + (product * images), 2 * learned)]),
            new StepOperations([Encoder("target_encoder", NetworkRole.Average, options.Target, PatchesOf(options, options.Target))]),
            new StepOperations([.. Head("target_head", images).Select(layer => layer with { Role = NetworkRole.Average, Backward = 0 })]),
        ]);

        NetworkOperations Encoder(string network, NetworkRole role, View view, int patches) =>
            NetworkOperations.OfEncoder(network, role, options.Encoder, (double)images * view.Count, patches);

        IEnumerable<NetworkOperations> Head(string network, double rows) =>
        [
            NetworkOperations.OfHead(network, rows, options.Encoder.Width, options.Hidden),
            NetworkOperations.OfHead(network, rows, options.Hidden, options.Hidden),
            NetworkOperations.OfHead(network, rows, options.Hidden, options.Projection),
        ];
    }

    /// <summary>Multiplications for an image, about.</summary>
    public static ObjectiveCost CostOf(MaskedSiameseOptions options)
    {
        var shape = options.Encoder;
        double Through(int patches) => ObjectiveCost.OfBlocks(shape.Depth, shape.Width, shape.MlpWidth, patches + 1);
        var each = ((double)options.Hidden * (shape.Width + options.Hidden + options.Projection))
            + ((double)options.Projection * options.Prototypes);
        var anchors = (options.Anchor.Count * Through(options.Kept)) + (options.Anchors * each)
            + (options.Focal is { } focal ? focal.Count * Through(PatchesOf(options, focal)) : 0);
        var target = Through(PatchesOf(options, options.Target)) + each;
        var part = options.Kept < shape.Patches ? Through(options.Kept) : 0;
        return new ObjectiveCost(Through(shape.Patches), part, anchors + target, (3 * anchors) + target);
    }

    private static int PatchesOf(MaskedSiameseOptions options, View view)
    {
        var side = view.Transform.CropSize / options.Encoder.PatchSize;
        return side * side;
    }
}
