using System.Diagnostics;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Packing;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources.Packing;

public sealed class PackTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Pack => _folder["a.jepapack"];

    private PackResult Write(ImageSource source, PackOptions options)
    {
        File.Delete(Pack);
        return PackWriter.Write(source, Pack, options, cancellation: TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("scenes:20#size=16")]
    [InlineData("huggingface.parquet")]
    public void Pack_Raw_IsTheSourceItWasMadeOf(string address)
    {
        using var source = ImageSources.Open(address.EndsWith("parquet", StringComparison.Ordinal) ? Fixtures.PathOf(address) : address);
        var result = Write(source, new PackOptions());
        using var pack = ImageSources.Open(Pack);
        Assert.Equal(source.Count, result.Count);
        Assert.Equal(source.Names(), pack.Names());
        Assert.Equal(source.Classes, pack.Classes);
        Assert.Equal(source.ClassNames(), pack.ClassNames());
        Assert.Equal(source.Columns, pack.Columns);
        for (var i = 0; i < source.Count; i++)
        {
            Assert.Equal(source.Pixels(i), pack.Pixels(i));
            foreach (var column in source.Columns) Assert.Equal(source.ValueOf(i, column), pack.ValueOf(i, column));
        }
    }

    [Fact]
    public void Pack_AnyNumberOfThreads_IsTheSameFile()
    {
        using var source = new NumberedImages(100);
        Write(source, new PackOptions { Threads = 1, JpegQuality = 80, ShorterSide = 10 });
        var one = File.ReadAllBytes(Pack);
        Write(source, new PackOptions { Threads = 7, JpegQuality = 80, ShorterSide = 10 });
        Assert.Equal(one, File.ReadAllBytes(Pack));
    }

    /// <summary>Touching mapped pages behind a file's end ends the process: the length is looked at first.</summary>
    [Fact]
    public void Pack_CutShortWhileOpen_HasUnreadableImages()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows refuses to shorten a file that is mapped.");
        Write(ImageSources.Open("scenes:20#size=64"), new PackOptions());
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "JepaSharp.Faults.dll"), "cut-short", Pack])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        const string Reason = "the pack was cut short while it was being read.";
        Assert.Equal((0, $"image 0: {Reason}\nimage 0: {Reason}\nimage 19: {Reason}\n"), (process.ExitCode, said));

        Write(ImageSources.Open("scenes:20#size=64"), new PackOptions());
        using var pack = new PackedImages(Pack);
        using (var file = new FileStream(Pack, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(100);
        Assert.Equal(0, pack.StoredBytes(3));
        Assert.Contains($"{Pack}: found 100 bytes", Assert.ThrowsAny<JepaException>(() => pack.LabelOf(3)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_LongerThanAJpegMayBe_IsKeptAsPixels()
    {
        var tall = EncodedImages.Picture(2, 65_501);
        File.WriteAllBytes(_folder["long.png"], MadePng.Write(2, 65_501, 8, 2, tall.Pixels));
        File.WriteAllBytes(_folder["ok.png"], EncodedImages.Png(EncodedImages.Picture(90, 60)));
        using var source = new ImageFolder(_folder.Path);
        Assert.Equal("long.png", Assert.Single(Write(source, new PackOptions { JpegQuality = 90 }).KeptAsPixels));
        using var pack = new PackedImages(Pack);
        using var second = pack.Open(1);
        Assert.Equal("jpeg", second.Format);
        Assert.Equal(tall.Pixels, pack.Pixels(0));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(90)]
    public void Pack_MoreThanIsHeldAtATime_IsTheSameFile(int? quality)
    {
        // 3 MB each; a quarter of 64 is held.
        for (var i = 0; i < 12; i++)
            File.WriteAllBytes(_folder[$"{i:D2}.png"], EncodedImages.ByVips(EncodedImages.Picture(1200, 900, i), ".png[compression=1]"));
        using var source = new ImageFolder(_folder.Path);
        Write(source, new PackOptions { Threads = 2, JpegQuality = quality });
        var free = File.ReadAllBytes(Pack);
        Assert.Equal(12, Write(source, new PackOptions { Threads = 4, JpegQuality = quality, MemoryMegabytes = 64 }).Count);
        Assert.Equal(free, File.ReadAllBytes(Pack));
    }

    [Fact]
    public void Pack_ShorterSide_ReducesLargerImagesAndLeavesSmallerOnes()
    {
        File.WriteAllBytes(_folder["1.png"], EncodedImages.Png(EncodedImages.Picture(90, 60)));
        File.WriteAllBytes(_folder["2.png"], EncodedImages.Png(EncodedImages.Picture(40, 20)));
        using var source = new ImageFolder(_folder.Path);
        Write(source, new PackOptions { ShorterSide = 30, JpegQuality = 95 });
        using var pack = new PackedImages(Pack);
        using var first = pack.Open(0);
        using var second = pack.Open(1);
        Assert.Equal((45, 30, "jpeg"), (first.Width, first.Height, first.Format));
        Assert.Equal((40, 20), (second.Width, second.Height));
        var error = second.Decode().Pixels.Zip(source.Pixels(1), (a, b) => Math.Abs(a - b)).Average();
        Assert.InRange(error, 0, 6);
    }

    [Fact]
    public void Pack_UnreadableImages_AreLeftOutAndListed()
    {
        using var source = new NumberedImages(50, i => i is 3 or 7);
        var result = Write(source, new PackOptions());
        Assert.Equal(["image 3", "image 7"], result.Unreadable.Select(u => u.Name));
        using var pack = new PackedImages(Pack);
        Assert.Equal(48, pack.Count);
        Assert.Equal("image 4", pack.NameOf(3));
        Assert.Equal(source.Pixels(8), pack.Pixels(6));
    }

    [Fact]
    public void Pack_TooManyUnreadable_LeavesNoFile()
    {
        Assert.Throws<JepaException>(() => Write(new NumberedImages(50, i => i % 2 == 0), new PackOptions()));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Pack_ThatIsThere_IsLeftAsItIs()
    {
        Write(new NumberedImages(5), new PackOptions());
        var old = File.ReadAllBytes(Pack);
        var error = Assert.Throws<JepaException>(
            () => PackWriter.Write(new NumberedImages(6), Pack, new PackOptions(), cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("exists and is not overwritten", error.Message, StringComparison.Ordinal);
        Assert.Equal(old, File.ReadAllBytes(Pack));
        Assert.Equal([Pack], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Pack_Stopped_LeavesNoFile()
    {
        using var stop = new CancellationTokenSource();
        using var source = new NumberedImages(500, onOpen: i => { if (i == 200) stop.Cancel(); });
        Assert.ThrowsAny<OperationCanceledException>(() => PackWriter.Write(source, Pack, new PackOptions(), cancellation: stop.Token));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(90)]
    public void Pack_OneChangedByte_IsNoticedInThatImageAlone(int? quality)
    {
        Write(new NumberedImages(5), new PackOptions { JpegQuality = quality });
        var bytes = File.ReadAllBytes(Pack);
        bytes[PackLayout.HeadBytes + 5] ^= 1;
        File.WriteAllBytes(Pack, bytes);
        using var pack = new PackedImages(Pack);
        Assert.Contains("checksum", Assert.Throws<ImageUnreadableException>(() => pack.Pixels(0)).Reason, StringComparison.Ordinal);
        Assert.NotEmpty(pack.Pixels(1));
    }

    [Fact]
    public void Pack_DamagedIndexHeadOrEnd_IsRefused()
    {
        Write(new NumberedImages(5), new PackOptions());
        var whole = File.ReadAllBytes(Pack);
        foreach (var (at, part) in ((int, string)[])[(whole.Length - 1, "index is damaged"), (20, "head is damaged"), (0, "does not begin"), (
            8, "version")])
        {
            byte[] bytes = [.. whole];
            bytes[at] ^= 0x10;
            File.WriteAllBytes(Pack, bytes);
            Assert.Contains(part, Assert.Throws<JepaException>(() => ImageSources.Open(Pack)).Message, StringComparison.Ordinal);
        }

        File.WriteAllBytes(Pack, whole[..^1]);
        Assert.Contains("cut short", Assert.Throws<JepaException>(() => ImageSources.Open(Pack)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_OfBytes_IsReadOrRefused()
    {
        Write(ImageSources.Open("scenes:6#size=8"), new PackOptions());
        SourceContents.AssertReadOrRefused(File.ReadAllBytes(Pack), _folder["h.jepapack"], ImageSources.Open, trials: 150);
    }

    [Fact]
    public void Pack_IndexThatLiesUnderTrueChecksums_IsReadOrRefused()
    {
        Write(ImageSources.Open("scenes:6#size=8"), new PackOptions());
        var whole = File.ReadAllBytes(Pack);
        var index = (int)BitConverter.ToInt64(whole, 24);
        for (var trial = 0; trial < 300; trial++)
        {
            var random = new RandomStream(3, RandomPurpose.Evaluation, trial);
            byte[] bytes = [.. whole];
            for (var c = 0; c < 3; c++)
                bytes[index + random.NextInt(whole.Length - index)] = (byte)(random.NextInt(2) == 0 ? 0xff : random.NextInt(256));
            if (trial % 4 == 0) bytes[16 + random.NextInt(24)] = (byte)random.NextInt(256);
            var (offset, length) = (BitConverter.ToInt64(bytes, 24), BitConverter.ToInt64(bytes, 32));
            if (offset >= 0 && length >= 0 && offset <= bytes.Length - length)
                BitConverter.TryWriteBytes(bytes.AsSpan(40), Crc32C.Of(bytes.AsSpan((int)offset, (int)length)));
            BitConverter.TryWriteBytes(bytes.AsSpan(44), Crc32C.Of(bytes.AsSpan(0, 44)));
            File.WriteAllBytes(_folder["h.jepapack"], bytes);
            SourceContents.AssertReadOrRefused(_folder["h.jepapack"], ImageSources.Open);
        }
    }
}
