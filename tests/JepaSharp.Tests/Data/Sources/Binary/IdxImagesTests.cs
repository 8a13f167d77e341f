using System.Buffers.Binary;
using System.IO.Compression;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Binary;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources.Binary;

public sealed class IdxImagesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Idx_Folder_GivesThePartAskedForWithItsLabels(bool gzip)
    {
        Write("train", [7, 3, 7], gzip);
        Write("t10k", [1, 2], gzip);
        using var train = ImageSources.Open(_folder.Path);
        using var test = ImageSources.Open(_folder.Path + "#part=test");
        Assert.Equal((3, 2), (train.Count, test.Count));
        Assert.Equal(["7", "3", "7"], train.ClassNames());
        Assert.Equal(["1", "2"], test.ClassNames());
        Assert.StartsWith("t10k-images", test.NameOf(0), StringComparison.Ordinal);
        for (var i = 0; i < 3; i++)
            for (var p = 0; p < 12; p++) Assert.Equal(Enumerable.Repeat(Grey(i, p), 3), train.Pixels(i)[(3 * p)..((3 * p) + 3)]);
        using var image = train.Open(0);
        Assert.Equal((4, 3), (image.Width, image.Height));
    }

    [Fact]
    public void Idx_FashionMnist_IsRead()
    {
        using var test = ImageSources.Open(SharedFolder.Require("data/fashion-mnist/t10k-images-idx3-ubyte.gz"));
        Assert.Equal((10_000, 10), (test.Count, test.Classes.Count));
        Assert.All(Enumerable.Range(0, 10_000).CountBy(i => test.LabelOf(i)!.Value), c => Assert.Equal(1000, c.Value));
        Assert.Equal([9, 2, 1, 1, 6], Enumerable.Range(0, 5).Select(i => test.LabelOf(i)!.Value));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Idx_CutShort_GivesWhatIsThereAndNoZeroImage(bool gzip)
    {
        Write("train", [1, 2, 3], gzip, cut: 17);
        using var images = ImageSources.Open(_folder.Path);
        Assert.Equal(36, images.Pixels(0).Length);
        Assert.Throws<ImageUnreadableException>(() => images.Open(1));
        Assert.Throws<ImageUnreadableException>(() => images.Open(2));
        Assert.Contains("1 of 3", Assert.Single(images.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Idx_FewerLabelsThanImages_SaysSo()
    {
        Write("train", [1, 2, 3], false);
        var labels = File.ReadAllBytes(_folder["train-labels-idx1-ubyte"]);
        labels[7] = 2;
        File.WriteAllBytes(_folder["train-labels-idx1-ubyte"], labels[..^1]);
        using var images = ImageSources.Open(_folder.Path);
        Assert.Equal(["1", "2", null], images.ClassNames());
        Assert.Equal(2, images.Notices.Count);
    }

    [Theory]
    [InlineData(0xffffffff)]
    [InlineData(0)]
    [InlineData(2_000_000_000)]
    public void Idx_ImpossibleHeader_IsRefusedWithoutTakingMemory(uint size)
    {
        Write("train", [1, 2, 3], false);
        var bytes = File.ReadAllBytes(_folder["train-images-idx3-ubyte"]);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), size);
        File.WriteAllBytes(_folder["train-images-idx3-ubyte"], bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.True(Assert.Throws<JepaException>(() => ImageSources.Open(_folder.Path)).IsUsage);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 10_000_000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Idx_OfBytes_IsReadOrRefused(bool gzip)
    {
        Write("train", [1, 2, 3], gzip);
        var name = "train-images-idx3-ubyte" + (gzip ? ".gz" : "");
        SourceContents.AssertReadOrRefused(File.ReadAllBytes(_folder[name]), _folder[name], p => new IdxImages(p));
    }

    private static byte Grey(int image, int pixel) => (byte)((50 * image) + pixel);

    private void Write(string part, byte[] labels, bool gzip, int cut = int.MaxValue)
    {
        byte[] images = [0, 0, 8, 3, 0, 0, 0, (byte)labels.Length, 0, 0, 0, 3, 0, 0, 0, 4, .. Enumerable.Range(0, 12 * labels.Length).Select(
            i => Grey(i / 12, i % 12))];
        Put($"{part}-images-idx3-ubyte", images[..(int)Math.Min(images.Length, 16L + cut)], gzip);
        Put($"{part}-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, (byte)labels.Length, .. labels], gzip);
    }

    private void Put(string name, byte[] bytes, bool gzip)
    {
        using var file = File.Create(_folder[gzip ? name + ".gz" : name]);
        using Stream stream = gzip ? new GZipStream(file, CompressionLevel.Fastest) : file;
        stream.Write(bytes);
    }
}
