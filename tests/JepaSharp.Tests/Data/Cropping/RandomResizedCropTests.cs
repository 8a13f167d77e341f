using CsCheck;
using JepaSharp.Data.Cropping;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Cropping;

public class RandomResizedCropTests
{
    public static IEnumerable<TheoryDataRow<string>> Recorded => RecordedFolders.Of(["preprocess"]);

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Draw_ManyBoxes_HaveTorchvisionsQuantiles(string recording)
    {
        if (!RecordedFolders.FactsOf(recording).TryGetProperty("random_resized_crop", out var expected)) Assert.Skip("No boxes were recorded.");
        double Bound(string key, int which) => expected.GetProperty(key)[which].GetDouble();
        var (width, height) = (expected.GetProperty("image")[0].GetInt32(), expected.GetProperty("image")[1].GetInt32());
        var crop = new RandomResizedCrop
        {
            MinScale = Bound("scale", 0),
            MaxScale = Bound("scale", 1),
            MinAspect = Bound("ratio", 0),
            MaxAspect = Bound("ratio", 1)
        };
        var boxes = Enumerable.Range(0, 100_000).Select(i =>
        {
            var random = new RandomStream(1, RandomPurpose.Augmentation, 0, i);
            return crop.Draw(width, height, ref random);
        }).ToArray();
        AssertQuantiles(expected.GetProperty("area_quantiles"), boxes.Select(b => (double)b.Width * b.Height / (width * height)), 0.012);
        AssertQuantiles(expected.GetProperty("aspect_quantiles"), boxes.Select(b => (double)b.Width / b.Height), 0.012);
        Assert.Equal(expected.GetProperty("mean_top").GetDouble(), boxes.Average(b => b.Top), 1.5);
        Assert.Equal(expected.GetProperty("mean_left").GetDouble(), boxes.Average(b => b.Left), 1.0);
    }

    [Fact]
    public void Draw_AnyImage_StaysInside() =>
        Gen.Select(Gen.Int[1, 300], Gen.Int[1, 300], Gen.Double[0.01, 1], Gen.ULong).Sample((width, height, minScale, seed) =>
        {
            var random = new RandomStream(seed, RandomPurpose.Augmentation);
            var box = new RandomResizedCrop { MinScale = minScale }.Draw(width, height, ref random);
            return box.Left >= 0 && box.Top >= 0 && box.Width >= 1 && box.Height >= 1 && box.Left + box.Width <= width
                && box.Top + box.Height <= height;
        });

    [Fact]
    public void Draw_BandThatNoBoxFits_FallsBackToTheLargestCentredOne()
    {
        // At least 30 % of the area of a 1000x10 image, yet no wider than 4:3: impossible.
        var random = new RandomStream(1, RandomPurpose.Augmentation);
        Assert.Equal(new(493, 0, 13, 10), new RandomResizedCrop().Draw(1000, 10, ref random));
        Assert.Equal(new(0, 493, 10, 13), new RandomResizedCrop().Draw(10, 1000, ref random));
    }

    private static void AssertQuantiles(System.Text.Json.JsonElement expected, IEnumerable<double> values, double tolerance)
    {
        var sorted = values.Order().ToArray();
        foreach (var quantile in expected.EnumerateObject())
        {
            var share = double.Parse(quantile.Name, System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(quantile.Value.GetDouble(), sorted[(int)(share * sorted.Length)], tolerance);
        }
    }
}
