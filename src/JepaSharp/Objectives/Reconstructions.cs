using JepaSharp.Data;
using JepaSharp.Masking;
using JepaSharp.Models;
using JepaSharp.Pictures;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>MAE's pictures: what the encoder sees of an image, and what the decoder guesses of the rest (paper, figures 2 to 4).</summary>
internal static class Reconstructions
{
    /// <summary>Two pictures of each image.</summary>
    /// <param name="objective">The networks.</param>
    /// <param name="images">Images of the encoder's size.</param>
    /// <param name="masks">Their masks.</param>
    /// <param name="zoom">How many times larger the pictures are.</param>
    public static ObjectivePictures Of(MaskedAutoencoder objective, IReadOnlyList<RgbImage> images, RandomPatches masks, int zoom)
    {
        var grid = new PatchGrid(objective.Options.Encoder.GridHeight, objective.Options.Encoder.GridWidth);
        var removed = masks.Removed();
        var guesses = Guessed(objective, images, masks);
        var rows = images.Select((image, i) =>
        {
            bool[] seen = [.. removed.Skip(i * masks.Patches).Take(masks.Patches).Select(r => !r)];
            return (IReadOnlyList<(RgbImage, string)>)
                [(MaskPictures.Shown(image, grid, seen, zoom), "what the encoder sees"), (
                    MaskPictures.Shown(guesses[i], grid, null, zoom), "seen, and guessed")];
        });
        var scaled = objective.Options.NormalizesPatches
            ? " What is guessed are pixels less their patch's mean and over its deviation: both are the true patch's here." : "";
        return new ObjectivePictures(
            "What it guesses", $"From {masks.Kept} of {masks.Patches} patches, what are the pixels of the others?{scaled}", [.. rows]);
    }

    /// <summary>Each image with the pixels of its removed patches as they are guessed.</summary>
    public static IReadOnlyList<RgbImage> Guessed(MaskedAutoencoder objective, IReadOnlyList<RgbImage> images, RandomPatches masks)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var (options, shape) = (objective.Options, objective.Options.Encoder);
        var device = objective.Encoder.parameters().First().device;
        using var scaling = new PixelScaling([.. options.PixelMean], [.. options.PixelDeviation], device);
        var pixels = scaling.ToImages(
            new ImageBatch(images.Count, shape.ImageHeight, shape.ImageWidth, [.. images.SelectMany(i => i.Pixels)], new int[images.Count]));
        using var on = AutoencoderMasks.Of(masks, device);
        var guess = objective.Decoder.PredictInOrder(objective.Encoder.Encode(pixels, on.Kept), on.Kept, on.Removed).to(float32);
        var truth = PatchPixels.Of(pixels, shape.PatchSize).to(float32);
        if (options.NormalizesPatches)
        {
            var (mean, deviation) = MaskedAutoencoder.Moments(truth);
            guess = mean.AddProduct(guess, deviation);
        }

        var numbers = where(
            tensor(masks.Removed(), [images.Count, masks.Patches, 1], device: device), guess, truth).cpu().contiguous().data<float>().ToArray();
        return [.. images.Select((_, i) => Assembled(numbers, i, options))];
    }

    /// <summary>The pixels of one image's patches [N, P P C] put in their places, as bytes.</summary>
    private static RgbImage Assembled(float[] patches, int index, MaskedAutoencoderOptions options)
    {
        var shape = options.Encoder;
        var (side, numbers) = (shape.PatchSize, PatchPixels.CountOf(shape));
        var picture = new RgbImage(shape.ImageWidth, shape.ImageHeight);
        for (var y = 0; y < shape.ImageHeight; y++)
        {
            for (var x = 0; x < shape.ImageWidth; x++)
            {
                var patch = (y / side * shape.GridWidth) + (x / side);
                var place = (((index * shape.Patches) + patch) * numbers) + ((((y % side) * side) + (x % side)) * 3);
                for (var c = 0; c < 3; c++)
                {
                    var value = (patches[place + c] * options.PixelDeviation[c]) + options.PixelMean[c];
                    var shown = double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
                    picture.Pixels[(((y * shape.ImageWidth) + x) * 3) + c] = (byte)Math.Round(255 * shown);
                }
            }
        }

        return picture;
    }
}
