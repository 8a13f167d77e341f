using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Tests.Data.Sources;

namespace JepaSharp.Tests.Data.Loading;

public class ImageReaderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Read_WholeSource_KeepsTheOrderAndTheLastSmallBatch(int threads)
    {
        using var source = new NumberedImages(53);
        var transform = EvaluationTransform.Squash(16);
        var batches = Take(new ImageReader(source, transform, batchSize: 10, threads).Read(TestContext.Current.CancellationToken));
        Assert.Equal([10, 10, 10, 10, 10, 3], batches.Select(b => b.Count));
        Assert.Equal(Enumerable.Range(0, 53), batches.SelectMany(b => b.Indices));
        Assert.Equal(3 * 3 * 16 * 16, batches[^1].Pixels.Length);

        var expected = new byte[3 * 16 * 16];
        using var image = source.Open(52);
        new CropSampler().Sample(image.Decode(), transform.GeometryOf(image.Width, image.Height), expected);
        Assert.Equal(expected, batches[^1].Pixels[^expected.Length..]);
    }

    [Fact]
    public void Read_BrokenImages_AreLeftOutAndTheRestStaysAligned()
    {
        using var sound = new NumberedImages(23);
        using var source = new NumberedImages(23, isBroken: i => i is 0 or 4 or 22);
        var reader = new ImageReader(source, EvaluationTransform.CenterCrop(14), batchSize: 11, threads: 2);
        var expected =
            ByIndex(Take(new ImageReader(sound, EvaluationTransform.CenterCrop(14), batchSize: 23).Read(TestContext.Current.CancellationToken)), 14);
        var found = ByIndex(Take(reader.Read(TestContext.Current.CancellationToken)), 14);
        Assert.Equal(20, found.Count);
        Assert.All(found, entry => Assert.Equal(expected[entry.Key], entry.Value));
        Assert.Equal(3, reader.Unreadable.Count);
    }

    [Fact]
    public void Read_ChosenImages_ComeInTheOrderGiven()
    {
        using var source = new NumberedImages(23);
        var batches =
            Take(new ImageReader(source, EvaluationTransform.Squash(8), batchSize: 2).Read([20, 3, 3, 7, 1], TestContext.Current.CancellationToken));
        Assert.Equal([20, 3, 3, 7, 1], batches.SelectMany(b => b.Indices));
    }

    private static List<ImageBatch> Take(IEnumerable<ImageBatch> batches) => [.. batches.Select(b => b with { Pixels = b.Pixels.ToArray() })];

    private static Dictionary<int, byte[]> ByIndex(List<ImageBatch> batches, int side) =>
        batches.SelectMany(b => b.Indices.Select((index, i) => (index, b.Pixels[(i * 3 * side * side)..((i + 1) * 3 * side * side)]))).ToDictionary();
}
