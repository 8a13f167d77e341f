using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.Evaluation.Heads;

/// <summary>Images are sorted into one new folder: nothing outside is touched, nothing is written over.</summary>
public sealed class SortedFoldersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("cat", "cat")]
    [InlineData("../../etc", "_.._.._etc")]
    [InlineData("..", "_")]
    [InlineData(".hidden", "_.hidden")]
    [InlineData("a/b\\c:d", "a_b_c_d")]
    [InlineData("", "_")]
    [InlineData("con", "_con")]
    [InlineData("LPT1.jpg", "_LPT1.jpg")]
    [InlineData("tab\tstop", "tab_tstop")]
    [InlineData("ends in dots...", "ends in dots")]
    public void SafeName_OfAnyText_IsOneNameOnEverySystem(string name, string safe) => Assert.Equal(safe, SortedFolders.SafeName(name));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Images_OfTheSameName_AreAllThere(bool link)
    {
        using var images = Images("a/x.png", "b/x.png", "b/y.png", "c/x.png");
        var counts = SortedFolders.Write(_folder["sorted"], images, Labels("../up", "../up", "plain", "plain"), ["../up", "plain"], link,
            cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(["_.._up/x-2.png", "_.._up/x.png", "_unsure/y.png", "plain/x.png"], Files("sorted"));
        Assert.Equal([("_.._up", 2), ("_unsure", 1), ("plain", 1)], counts.Select(c => (c.Key, c.Value)));
        Assert.Equal(link, new FileInfo(_folder["sorted/plain/x.png"]).LinkTarget is not null);
        Assert.Equal(File.ReadAllBytes(_folder["in/b/x.png"]), File.ReadAllBytes(_folder["sorted/_.._up/x-2.png"]));
        Assert.Equal(4, Directory.GetFiles(_folder["in"], "*", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void Folder_ThatHoldsSomething_IsRefused()
    {
        using var images = Images("a/x.png");
        Directory.CreateDirectory(_folder["sorted"]);
        File.WriteAllText(_folder["sorted/mine.txt"], "x");
        Assert.Contains("is not empty", Refused("sorted", images, ["l"]), StringComparison.Ordinal);
        Assert.Equal(["mine.txt"], Files("sorted"));
    }

    [Fact]
    public void Classes_ThatWouldShareAFolder_AreRefused()
    {
        using var images = Images("a/x.png");
        Assert.Contains("would have the same folder", Refused("sorted", images, ["l", "a/b", "a:b"]), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["sorted"]) && Directory.EnumerateFiles(_folder["sorted"], "*", SearchOption.AllDirectories).Any());
    }

    [Fact]
    public void Images_InsideALargerFile_AreRefused()
    {
        using var scenes = new ScenesSource(1, 2, 16);
        Assert.Contains("no files of their own", Refused("sorted", scenes, ["l"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Class_CalledAsTheUnsureAre_KeepsAFolderOfItsOwn()
    {
        using var images = Images("a/x.png", "b/y.png", "c/z.png");
        SortedFolders.Write(_folder["sorted"], images, Labels("_unsure", "l", "l"), ["_unsure", "l"],
            cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(["__unsure/z.png", "_unsure/x.png", "l/y.png"], Files("sorted"));
    }

    private string Refused(string into, ImageSource images, string[] classes) =>
        Assert.Throws<JepaException>(() => SortedFolders.Write(_folder[into], images, Labels("l"), classes)).Message;

    /// <summary>Every third image is unsure.</summary>
    private static ImagePrediction[] Labels(params string[] labels) =>
        [.. labels.Select((label, i) => new ImagePrediction(i, $"{i}") { Label = label, Probability = 0.5, IsUnsure = i % 3 == 2 })];

    private ImageFolder Images(params string[] names)
    {
        foreach (var (i, name) in names.Index())
        {
            var path = _folder[$"in/{name}"];
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, EncodedImages.Png(EncodedImages.Noise(12, 12, (ulong)i)));
        }

        return new ImageFolder(_folder["in"]);
    }

    private string[] Files(string folder) =>
        [.. Directory.EnumerateFiles(_folder[folder], "*", SearchOption.AllDirectories).Select(
            path => Path.GetRelativePath(_folder[folder], path).Replace('\\', '/')).Order(StringComparer.Ordinal)];
}
