using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data.Sources;

namespace JepaSharp.Tests.Data.Loading;

public sealed class PixelStatisticsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Of_ImagesOfOneColourEach_AreTheColoursMeanAndDeviation()
    {
        using var source = new Flat((10, 100, 255), (30, 100, 0), (200, 100, 255), (0, 100, 0));
        var found = PixelStatistics.Of(source, 8, stop: Stop)!;
        Assert.Equal(4, found.Images);
        Check(source.Colours.Select(c => (double)c.Red), 0);
        Check(source.Colours.Select(c => (double)c.Green), 1);
        Check(source.Colours.Select(c => (double)c.Blue), 2);

        void Check(IEnumerable<double> values, int channel)
        {
            var mean = values.Average() / 255;
            Assert.Equal(mean, found.Mean[channel], 12);
            Assert.Equal(Math.Sqrt(values.Average(v => ((v / 255) - mean) * ((v / 255) - mean))), found.Deviation[channel], 9);
        }
    }

    [Fact]
    public void Of_MoreImagesThanTheSample_LooksAtThemFromOneEndToTheOther()
    {
        using var source = new Flat([.. Enumerable.Range(0, 200).Select(i => ((byte)i, (byte)0, (byte)0))]);
        var found = PixelStatistics.Of(source, 4, sample: 10, Stop)!;
        Assert.Equal(10, found.Images);
        Assert.Equal(100.0 / 255, found.Mean[0], 2);
    }

    [Fact]
    public void Of_BrokenImages_LeavesThemOut()
    {
        using ImageSource some = new NumberedImages(20, i => i < 8), all = new NumberedImages(20, _ => true);
        Assert.Equal(12, PixelStatistics.Of(some, 8, stop: Stop)!.Images);
        Assert.Contains("None of the 20 images", Assert.Throws<JepaException>(() => PixelStatistics.Of(all, 8, stop: Stop)).Message,
            StringComparison.Ordinal);
    }

    private sealed class Flat(params (byte Red, byte Green, byte Blue)[] colours) : ImageSource
    {
        public IReadOnlyList<(byte Red, byte Green, byte Blue)> Colours => colours;

        public override int Count => colours.Length;

        public override string Description => "images of one colour each";

        public override string NameOf(int index) => $"image {index}";

        public override OpenedImage Open(int index) => new Image(colours[index]);

        private sealed class Image((byte Red, byte Green, byte Blue) colour) : OpenedImage
        {
            public override int Width => 12;

            public override int Height => 9;

            public override RgbImage Decode() =>
                new(Width, Height, [.. Enumerable.Repeat(new[] { colour.Red, colour.Green, colour.Blue }, Width * Height).SelectMany(c => c)]);
        }
    }
}
