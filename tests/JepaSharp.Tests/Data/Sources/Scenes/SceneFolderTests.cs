using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;
using SkiaSharp;

namespace JepaSharp.Tests.Data.Sources.Scenes;

public sealed class SceneFolderTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("jepa-scenes-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Write_ThenReadBack_GivesTheScenesAndTheirPixels()
    {
        var folder = Path.Combine(_root, "new", "scenes");
        SceneFolder.Write(folder, 5, 48, 32, seed: 9, threads: 3, cancellation: Stop);
        using var source = new ScenesSource(9, 5, 48, 32, 0);
        Assert.True(ClevrFolder.IsOne(folder));
        var read = ClevrFolder.Read(folder);
        Assert.Equal(5, read.Count);
        Assert.Equal(["images", "scenes.json"], Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(source.SceneOf(i).Objects, read[i].Scene.Objects);
            using var bitmap = SKBitmap.Decode(read[i].ImagePath);
            using var opened = source.Open(i);
            Assert.Equal(opened.Decode().Pixels, bitmap.Pixels.SelectMany(p => new[] { p.Red, p.Green, p.Blue }));
        }
    }

    [Fact]
    public void Write_IntoAFolderThatHoldsFiles_IsRefusedAndTouchesNothing()
    {
        var mine = Path.Combine(_root, "mine.txt");
        File.WriteAllText(mine, "keep");
        var error = Assert.Throws<JepaException>(() => SceneFolder.Write(_root, 2, 16, 16, 1, cancellation: Stop));
        Assert.True(error.IsUsage);
        Assert.Contains("already holds files (mine.txt", error.Message, StringComparison.Ordinal);
        Assert.Equal([mine], Directory.EnumerateFileSystemEntries(_root));
        Assert.Contains("is a file", Assert.Throws<JepaException>(() => SceneFolder.Write(mine, 2, 16, 16, 1, cancellation: Stop)).Message,
            StringComparison.Ordinal);
        Assert.Contains("Expected 1 or more",
            Assert.Throws<JepaException>(() => SceneFolder.Write(Path.Combine(_root, "a"), 0, 16, 16, 1, cancellation: Stop)).Message,
            StringComparison.Ordinal);
        Assert.Contains("Expected 8x8", Assert.Throws<JepaException>(
            () => SceneFolder.Write(Path.Combine(_root, "a"), 1, 4, 16, 1, cancellation: Stop)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_WhenStopped_LeavesNothingBehind()
    {
        var folder = Path.Combine(_root, "stopped");
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(
            () => SceneFolder.Write(folder, 500, 16, 16, 1, threads: 2, progress: new Stopper(stop), cancellation: stop.Token));
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void Read_ClevrLayout_PairsPicturesOfTheSplit()
    {
        SceneFolder.Write(Path.Combine(_root, "ours"), 2, 16, 16, 1, cancellation: Stop);
        var clevr = Path.Combine(_root, "CLEVR_v1.0");
        Directory.CreateDirectory(Path.Combine(clevr, "scenes"));
        foreach (var split in new[] { "train", "val" })
        {
            File.Copy(Path.Combine(_root, "ours", "scenes.json"), Path.Combine(clevr, "scenes", $"CLEVR_{split}_scenes.json"));
            Directory.CreateDirectory(Path.Combine(clevr, "images", split));
            foreach (var image in Directory.EnumerateFiles(Path.Combine(_root, "ours", "images")))
                File.Copy(image, Path.Combine(clevr, "images", split, Path.GetFileName(image)));
        }

        Assert.Equal(["train", "val"], ClevrFolder.SplitsOf(clevr));
        Assert.Equal(Path.Combine(clevr, "images", "val", "scene_000001.png"), ClevrFolder.Read(clevr, "val")[1].ImagePath);
        Assert.Contains("train, val: say which one", Message(clevr, null), StringComparison.Ordinal);
        Assert.Contains("no annotations for the split \"test\"", Message(clevr, "test"), StringComparison.Ordinal);
        File.Delete(Path.Combine(clevr, "images", "val", "scene_000001.png"));
        Assert.Contains("describes scene_000001.png, but there is no", Message(clevr, "val"), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AnotherFolder_SaysWhatIsExpected()
    {
        Assert.False(ClevrFolder.IsOne(_root));
        Assert.Contains("holds no scene annotations", Message(_root, null), StringComparison.Ordinal);
        Assert.Contains("There is no folder", Message(Path.Combine(_root, "nowhere"), null), StringComparison.Ordinal);
    }

    private static string Message(string folder, string? split) => Assert.Throws<JepaException>(() => ClevrFolder.Read(folder, split)).Message;

    private sealed class Stopper(CancellationTokenSource stop) : IProgress<int>
    {
        public void Report(int value) => stop.Cancel();
    }
}
