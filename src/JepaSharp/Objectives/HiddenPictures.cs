using JepaSharp.Data;
using JepaSharp.Masking;
using JepaSharp.Pictures;

namespace JepaSharp.Objectives;

/// <summary>iBOT's views as pictures, with what the student is not shown of them.</summary>
internal static class HiddenPictures
{
    private const byte Gray = 128;

    /// <summary>For each image, its views, and the large ones again as the student sees them.</summary>
    public static ObjectivePictures Of(IbotOptions options, IReadOnlyList<RgbImage> images, IReadOnlyList<int> indices, Step step, int zoom)
    {
        var masks = HiddenViews.Draw(options with { FirstMaskedEpoch = 0 }, indices, step);
        var grid = new PatchGrid(options.Encoder.GridHeight, options.Encoder.GridWidth);
        var rows = ViewPictures.Of(options.Views, images, indices, step, zoom);
        return new ObjectivePictures(
            "What it compares, and what it is asked",
            "Of every view, the student should say what the teacher says of the image's other large views; of patches that it is not shown (grey), "
                + "what the teacher says, which sees them. Views and masks as training draws them, of images of the data.",
            [.. rows.Select((row, image) => (IReadOnlyList<(RgbImage, string)>)
                [.. row.SelectMany((picture, at) => at >= 1 && at <= options.LargeViews
                    ? [picture, (Covered(picture.Picture, masks[((at - 1) * images.Count) + image], grid), "what the student sees of it")]
                    : new[] { picture })])]);
    }

    private static RgbImage Covered(RgbImage picture, bool[] hidden, PatchGrid grid)
    {
        var covered = new RgbImage(picture.Width, picture.Height);
        for (var y = 0; y < picture.Height; y++)
        {
            for (var x = 0; x < picture.Width; x++)
            {
                var patch = (y * grid.Height / picture.Height * grid.Width) + (x * grid.Width / picture.Width);
                covered.Set(x, y, hidden[patch] ? new Rgb(Gray, Gray, Gray) : picture.Get(x, y));
            }
        }

        return covered;
    }
}
