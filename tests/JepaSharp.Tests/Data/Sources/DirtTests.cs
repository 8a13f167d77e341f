using System.Buffers.Binary;
using System.Diagnostics;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;

namespace JepaSharp.Tests.Data.Sources;

/// <summary>A folder as users have them: each bad file is refused with a reason, none stops the rest, none becomes an image of zeros.</summary>
public sealed class DirtTests : IDisposable
{
    private static readonly byte[] Jpeg = EncodedImages.Jpeg(EncodedImages.Noise(40, 30, 1));

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Folder_OfEveryKindOfDirt_GivesTheGoodImagesAndAReasonForEachOther()
    {
        var png = EncodedImages.Png(EncodedImages.Picture(40, 30));
        Put("good.jpg", Jpeg);
        Put("really-a-png.jpg", png);
        Put("日本 é.png", png);
        Put(new string('n', 240) + ".png", png);
        Put("corrupt.jpg", [.. Jpeg[..20], .. new byte[200]]);
        Put("cut.jpg", Jpeg[..(Jpeg.Length / 2)]);
        Put("cut.png", png[..(png.Length / 2)]);
        Put("empty.jpg", []);
        Put("text.png", "no image"u8.ToArray());
        Put("bomb.png", PngOf(50_000, 50_000));
        Put("zero.png", PngOf(0, 30));
        Put("bomb.jpg", JpegOf(50_000, 50_000));
        Put("zero.jpg", JpegOf(0, 30));
        File.CreateSymbolicLink(_folder["loop.jpg"], _folder["loop.jpg"]);
        File.CreateSymbolicLink(_folder["dangling.jpg"], _folder["nowhere.jpg"]);
        Put("vanished.jpg", Jpeg);
        using var source = ImageSources.Open(_folder.Path);
        File.Delete(_folder["vanished.jpg"]);
        var begun = Stopwatch.StartNew();
        var (good, bad) = (new List<string>(), new Dictionary<string, string>());
        for (var i = 0; i < source.Count; i++)
        {
            try
            {
                Assert.Contains(source.Pixels(i), b => b != 0);
                good.Add(source.NameOf(i));
            }
            catch (ImageUnreadableException e)
            {
                bad[e.Name] = e.Reason;
            }
        }

        Assert.Equal(["good.jpg", new string('n', 240) + ".png", "really-a-png.jpg", "日本 é.png"], good);
        Assert.Equal(12, bad.Count);
        Assert.Contains("50000x50000", bad["bomb.png"], StringComparison.Ordinal);
        Assert.Contains("50000x50000", bad["bomb.jpg"], StringComparison.Ordinal);
        Assert.Contains("empty", bad["empty.jpg"], StringComparison.Ordinal);
        Assert.Contains("no longer there", bad["vanished.jpg"], StringComparison.Ordinal);
        Assert.True(begun.Elapsed < TimeSpan.FromSeconds(60), "a file was waited for");
    }

    [Fact]
    public async Task Pipe_NamedAsAnImage_IsRefusedAndNotWaitedFor()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("There are no named pipes in folders here.");
        Put("good.jpg", Jpeg);
        MakePipe("pipe.jpg");
        Directory.CreateDirectory(_folder[".hidden"]);
        MakePipe(".hidden/pipe");
        File.CreateSymbolicLink(_folder["to-pipe.jpg"], _folder[".hidden/pipe"]);
        using var source = ImageSources.Open(_folder.Path);
        Assert.Equal(["good.jpg", "pipe.jpg", "to-pipe.jpg"], source.Names());
        foreach (var index in (int[])[1, 2])
        {
            var opening = Task.Run(() => Assert.Throws<ImageUnreadableException>(() => source.Open(index)), Stop);
            Assert.Contains("pipe", (await opening.WaitAsync(TimeSpan.FromSeconds(10), Stop)).Reason, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("pipe.csv")]
    [InlineData("pipe.tar")]
    [InlineData("pipe.parquet")]
    [InlineData("pipe.jepapack")]
    [InlineData("test_batch.bin")]
    [InlineData("train-images-idx3-ubyte")]
    public async Task Pipe_NamedAsASet_IsRefusedAndNotWaitedFor(string name)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("There are no named pipes in folders here.");
        MakePipe(name);
        await Task.Run(() => Assert.Throws<JepaSharp.Runtime.JepaException>(() => ImageSources.Open(_folder[name])), Stop).WaitAsync(
            TimeSpan.FromSeconds(10), Stop);
    }

    [Fact]
    public void File_WithoutPermission_IsRefusedWithTheReason()
    {
        if (Environment.IsPrivilegedProcess) Assert.Skip("This user may read any file.");
        Put("good.jpg", Jpeg);
        Put("secret.jpg", Jpeg);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder["secret.jpg"], UnixFileMode.None);
        using var source = ImageSources.Open(_folder.Path);
        Assert.Contains("permission", Assert.Throws<ImageUnreadableException>(() => source.Open(1)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Scenes_WhosePictureIsMissing_AreRefused()
    {
        SceneFolder.Write(_folder["s"], 3, 16, 16, 0, cancellation: Stop);
        File.Delete(Path.Combine(_folder["s"], "images", SceneFolder.FileNameOf(1)));
        Assert.Contains(SceneFolder.FileNameOf(1), Assert.Throws<JepaSharp.Runtime.JepaException>(() => ImageSources.Open(_folder["s"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void UnreadableReport_ListsNamesAndReasonsAndLeavesNoneBehind()
    {
        var path = _folder["unreadable.csv"];
        UnreadableReport.Write(path, [new("a.jpg", "cut short."), new("b,\"c\".jpg", "line\nend")]);
        Assert.Equal("name,reason\na.jpg,cut short.\n\"b,\"\"c\"\".jpg\",\"line\nend\"\n", File.ReadAllText(path));
        Assert.Equal(["a.jpg: cut short.", "b,\"c\".jpg: line\\nend", "d.jpg: gone."],
            UnreadableReport.Joined(UnreadableReport.Read(path), [new("a.jpg", "again."), new("d.jpg", "gone.")]).Select(image => image.Message));
        UnreadableReport.Write(path, []);
        Assert.Empty(UnreadableReport.Read(path));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    private static byte[] PngOf(uint width, uint height)
    {
        var png = EncodedImages.Png(EncodedImages.Picture(4, 4));
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc(png.AsSpan(12, 17)));
        return png;
    }

    private static byte[] JpegOf(ushort width, ushort height)
    {
        byte[] jpeg = [.. Jpeg];
        var frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xff, 0xc0]);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), height);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), width);
        return jpeg;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320u);
        }

        return ~crc;
    }

    private void Put(string name, byte[] bytes) => File.WriteAllBytes(_folder[name], bytes);

    private void MakePipe(string name)
    {
        using var process = Process.Start("mkfifo", [_folder[name]]);
        process.WaitForExit();
    }
}
