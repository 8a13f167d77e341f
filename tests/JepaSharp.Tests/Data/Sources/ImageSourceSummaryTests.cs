using JepaSharp.Data.Sources;

namespace JepaSharp.Tests.Data.Sources;

public class ImageSourceSummaryTests
{
    [Fact]
    public void Summary_MixedFolder_CountsSizesFormatsAndBrokenFiles()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["1.png"], EncodedImages.Png(EncodedImages.Picture(30, 20)));
        File.WriteAllBytes(folder["2.jpg"], EncodedImages.Jpeg(EncodedImages.Picture(50, 40)));
        File.WriteAllBytes(folder["3.jpg"], EncodedImages.Jpeg(EncodedImages.Picture(60, 90)));
        File.WriteAllBytes(folder["4.jpg"], []);
        using var source = new ImageFolder(folder.Path);
        var summary = ImageSourceSummary.Of(source);
        Assert.Equal((4, 4, 40), (summary.Count, summary.Sampled, summary.MedianShorterSide));
        Assert.Equal(((30, 20), (60, 90)), (summary.Smallest, summary.Largest));
        Assert.Equal([new("jpeg", 2), new("png", 1)], summary.Formats);
        Assert.Equal("4.jpg", Assert.Single(summary.Unreadable).Name);
    }

    [Fact]
    public void Summary_LargeSource_SamplesTheSameImagesFromAllOverIt()
    {
        using var source = new NumberedImages(10_000);
        var first = ImageSourceSummary.Of(source, 100);
        Assert.Equal((10_000, 100), (first.Count, first.Sampled));
        var opened = source.Opened.Order().ToArray();
        Assert.All(opened.Index(), o => Assert.InRange(o.Item, o.Index * 100, (o.Index * 100) + 99));
        source.Opened.Clear();
        ImageSourceSummary.Of(source, 100);
        Assert.Equal(opened, source.Opened.Order());
    }
}
