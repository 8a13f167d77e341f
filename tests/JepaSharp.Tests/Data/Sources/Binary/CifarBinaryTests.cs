using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources.Binary;

public sealed class CifarBinaryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Cifar10_Folder_JoinsItsBatchesInOrder()
    {
        for (var b = 5; b >= 1; b--) File.WriteAllBytes(_folder[$"data_batch_{b}.bin"], [.. Record(b, [(byte)b]), .. Record(10 + b, [0])]);
        File.WriteAllBytes(_folder["test_batch.bin"], Record(99, [9]));
        File.WriteAllText(_folder["batches.meta.txt"], string.Join('\n', Enumerable.Range(0, 10).Select(i => $"kind{i}")) + "\n\n");
        using var train = ImageSources.Open(_folder.Path);
        using var test = ImageSources.Open(_folder.Path + "#part=test");
        Assert.Equal((10, 1), (train.Count, test.Count));
        Assert.Equal(["kind1", "kind0", "kind2", "kind0"], train.ClassNames()[..4]);
        Assert.Equal(["data_batch_1.bin[0]", "data_batch_1.bin[1]", "data_batch_2.bin[0]"], train.Names()[..3]);
        Assert.Equal(Pixels(12), train.Pixels(3));
        Assert.Equal(Pixels(99), test.Pixels(0));
        Assert.Equal("kind9", test.ClassNames()[0]);
    }

    [Fact]
    public void Cifar100_HasFineAndCoarseLabels()
    {
        File.WriteAllBytes(_folder["train.bin"], [.. Record(1, [3, 77]), .. Record(2, [19, 99])]);
        using var fine = ImageSources.Open(_folder.Path);
        using var coarse = ImageSources.Open(_folder["train.bin"] + "#label=coarse");
        Assert.Equal(["77", "99"], fine.ClassNames());
        Assert.Equal(["3", "19"], coarse.ClassNames());
        Assert.Equal((100, 20), (fine.Classes.Count, coarse.Classes.Count));
        Assert.Equal(Pixels(2), fine.Pixels(1));
        Assert.Throws<JepaException>(() => ImageSources.Open(_folder.Path + "#part=test"));
    }

    [Fact]
    public void Cifar_CutShortOrMislabelled_SaysSo()
    {
        File.WriteAllBytes(_folder["test_batch.bin"], [.. Record(1, [3]), .. Record(2, [77]), .. new byte[100]]);
        using var images = ImageSources.Open(_folder["test_batch.bin"]);
        Assert.Equal(["3", null], images.ClassNames());
        Assert.Contains(images.Notices, n => n.Contains("last 100 bytes", StringComparison.Ordinal));
        Assert.Contains(images.Notices, n => n.Contains("beyond the 10 classes", StringComparison.Ordinal));
        File.WriteAllBytes(_folder["test_batch.bin"], Record(1, [3])[..2000]);
        Assert.Throws<ImageUnreadableException>(() => images.Open(0));
    }

    [Fact]
    public void Cifar_OfBytes_IsReadOrRefused() =>
        SourceContents.AssertReadOrRefused([.. Record(1, [3]), .. Record(2, [4])], _folder["test_batch.bin"], ImageSources.Open);

    private static byte[] Pixels(int seed) => EncodedImages.Noise(32, 32, (ulong)seed).Pixels;

    private static byte[] Record(int seed, byte[] labels)
    {
        var pixels = Pixels(seed);
        return [.. labels, .. Enumerable.Range(0, 3).SelectMany(c => Enumerable.Range(0, 1024).Select(i => pixels[(3 * i) + c]))];
    }
}
