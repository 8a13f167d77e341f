using System.Text.Json;
using JepaSharp.Data;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Decoding;
using JepaSharp.Weights;

namespace JepaSharp.Tests.Data.Augmentation;

/// <summary>Every operation, and whole pipelines of them, against what Pillow and torchvision made of photographs: equal to the byte.</summary>
public sealed class RecordedAugmentationTests(ITestOutputHelper output)
{
    public static IEnumerable<TheoryDataRow<string>> Recordings => RecordedFolders.Of(["augmentations"]);

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Operations_WithRecordedParameters_GiveThePixelsOfPillow(string recording)
    {
        var facts = RecordedFolders.FactsOf(recording);
        using var expected = SafetensorsFile.Open(RecordedFolders.PathOf(recording, "expected.safetensors"));
        var count = 0;
        foreach (var entry in facts.GetProperty("cases").EnumerateArray())
        {
            var (key, image) = (entry.GetProperty("key").GetString()!, Photo(recording, facts, entry));
            var wanted = new byte[expected.Find(key).ByteCount];
            expected.Find(key).CopyTo(wanted);
            Assert.True(Changed(image, entry).Pixels.AsSpan().SequenceEqual(wanted), key);
            count++;
        }

        output.WriteLine($"{count} operations, all equal");
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Pipelines_WithRecordedDraws_GiveTheNumbersOfTorchvision(string recording)
    {
        var facts = RecordedFolders.FactsOf(recording);
        using var expected = SafetensorsFile.Open(RecordedFolders.PathOf(recording, "expected.safetensors"));
        float[] mean = Channels(facts.GetProperty("mean")), deviation = Channels(facts.GetProperty("std"));
        var count = 0;
        foreach (var entry in facts.GetProperty("pipelines").EnumerateArray())
        {
            var (key, image) = (entry.GetProperty("key").GetString()!, Photo(recording, facts, entry));
            foreach (var call in entry.GetProperty("calls").EnumerateArray()) image = Changed(image, call);
            var wanted = expected.Read(key).data<float>().ToArray();
            for (var c = 0; c < 3; c++)
            {
                for (var i = 0; i < image.Width * image.Height; i++)
                    Assert.Equal(wanted[(c * image.Width * image.Height) + i], ((image.Pixels[(3 * i) + c] / 255f) - mean[c]) / deviation[c]);
            }

            count++;
        }

        output.WriteLine($"{count} pipelines, all equal");
    }

    private static RgbImage Photo(string recording, JsonElement facts, JsonElement entry)
    {
        var file = facts.GetProperty("photos")[entry.GetProperty("photo").GetInt32()].GetString()!;
        using var image = ImageDecoder.Open(RecordedFolders.PathOf(recording, file));
        var decoded = image.Decode();
        return new RgbImage(decoded.Width, decoded.Height, decoded.Pixels.ToArray());
    }

    private static RgbImage Changed(RgbImage image, JsonElement call)
    {
        double Number(string name) => call.GetProperty(name).GetDouble();
        int Whole(string name) => call.GetProperty(name).GetInt32();
        var pixels = image.Pixels;
        switch (call.GetProperty("op").GetString()!.Replace("adjust_", "", StringComparison.Ordinal))
        {
            case "brightness": PixelOperations.Brightness(pixels, Number("factor")); break;
            case "contrast": PixelOperations.Contrast(pixels, Number("factor")); break;
            case "saturation": PixelOperations.Saturation(pixels, Number("factor")); break;
            case "hue": HueShift.Apply(pixels, Number("factor")); break;
            case "grayscale" or "rgb_to_grayscale": PixelOperations.Gray(pixels); break;
            case "gaussian_blur": GaussianBlur.Apply(pixels, image.Width, image.Height, Number("sigma")); break;
            case "solarize": PixelOperations.Solarize(pixels, call.TryGetProperty("threshold", out var t) ? t.GetInt32() : 128); break;
            case "flip" or "hflip": PixelOperations.Mirror(pixels, image.Width); break;
            case "to_tensor" or "normalize": break; // by the caller
            case "resized_crop":
                var filter = call.GetProperty("interpolation").GetString() == "bicubic" ? ResampleFilter.Bicubic : ResampleFilter.Bilinear;
                var box = new PixelBox(Whole("left"), Whole("top"), Whole("width"), Whole("height"));
                var resized = new RgbImage(Whole("size"), Whole("size"));
                new CropSampler().Sample(image, CropGeometry.Of(box, resized.Width, resized.Height, filter), resized.Pixels);
                return resized;
            case var other: throw new NotSupportedException(other);
        }

        return image;
    }

    private static float[] Channels(JsonElement numbers) => [.. numbers.EnumerateArray().Select(n => n.GetSingle())];
}
