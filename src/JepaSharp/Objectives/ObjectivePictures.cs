using JepaSharp.Data;
using JepaSharp.Masking;
using JepaSharp.Pictures;

namespace JepaSharp.Objectives;

/// <summary>What an objective shows of a few images: of each, some pictures beside it.</summary>
/// <param name="Title">A heading.</param>
/// <param name="Text">A sentence or two.</param>
/// <param name="Rows">For each image, pictures with their captions.</param>
public sealed record ObjectivePictures(string Title, string Text, IReadOnlyList<IReadOnlyList<(RgbImage Picture, string Caption)>> Rows)
{
    /// <summary>I-JEPA's: what the context encoder sees, and what is to be predicted.</summary>
    /// <param name="images">Images that the grid divides.</param>
    /// <param name="masks">Their masks.</param>
    /// <param name="zoom">How many times larger the pictures are.</param>
    internal static ObjectivePictures OfMasks(IReadOnlyList<RgbImage> images, MaskBatch masks, int zoom)
    {
        var blocks = masks.TargetBlocks == 1 ? "one block" : $"{masks.TargetBlocks} blocks";
        return new ObjectivePictures(
            "What it is asked",
            $"From {masks.ContextLength} of {masks.Grid.Count} patches, what does the target encoder say of each of {blocks} of {masks.TargetLength} patches? "
            + "The masks of the first step, on images of the data.",
            [.. images.Select((image, i) => (IReadOnlyList<(RgbImage, string)>)
                [(MaskPictures.Context(image, masks, i, zoom), "what the context encoder sees"), (MaskPictures.Targets(image, masks, i, zoom), "what is to be predicted")])]);
    }
}
