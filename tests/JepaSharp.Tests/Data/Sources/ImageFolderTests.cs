using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _image = EncodedImages.Png(EncodedImages.Picture(12, 9));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Folder_Flat_HasNoLabelsAndOrdinalOrder()
    {
        Put("b.jpg", "a.PNG", "B.jpeg", "ä.webp", "a10.gif", "a9.bmp", ".hidden.png");
        File.WriteAllText(_folder["notes.txt"], "words");
        using var source = new ImageFolder(_folder.Path);
        Assert.Equal(["B.jpeg", "a.PNG", "a10.gif", "a9.bmp", "b.jpg", "ä.webp"], Names(source));
        Assert.Empty(source.Classes);
        Assert.Null(source.LabelOf(0));
    }

    [Fact]
    public void Folder_EveryImageInASubfolder_TakesTheFirstLevelAsClasses()
    {
        Put("dog/1.png", "cat/deep/er/2.png", "cat/1.png", ".git/3.png");
        Directory.CreateDirectory(_folder["empty"]);
        File.WriteAllText(_folder["empty/readme.md"], "words");
        using var source = new ImageFolder(_folder.Path);
        Assert.Equal(["cat/1.png", "cat/deep/er/2.png", "dog/1.png"], Names(source));
        Assert.Equal(["cat", "dog"], source.Classes);
        Assert.Equal([0, 0, 1], Enumerable.Range(0, 3).Select(i => source.LabelOf(i)!.Value));
    }

    [Theory]
    [InlineData("train", "test", true)]
    [InlineData("Train", "Val", true)]
    [InlineData("train", "bus", false)] // kinds of vehicles
    public void Folder_OfFoldersCalledLikePartsOfASet_SaysSo(string one, string other, bool isSaid)
    {
        Put($"{one}/cat/1.png", $"{other}/cat/2.png");
        using var source = new ImageFolder(_folder.Path);
        Assert.Equal(isSaid, source.Notices.Any(n => n.Contains("called like the parts of a set", StringComparison.Ordinal)));
    }

    [Fact]
    public void Folder_OneImageOutsideTheSubfolders_HasNoLabels()
    {
        Put("dog/1.png", "2.png");
        using var source = new ImageFolder(_folder.Path);
        Assert.Empty(source.Classes);
        Assert.Equal(2, source.Count);
    }

    [Fact]
    public void Folder_ManyFilesOfAnEndingThatIsNone_AreReadWhereAnyIsAnImage()
    {
        for (var i = 0; i < 1500; i++) File.WriteAllText(_folder[$"{i:D4}.dat"], "words");
        Put("1.png", "0750.dat", "0751.dat");
        using var source = new ImageFolder(_folder.Path);
        Assert.Equal(["0750.dat", "0751.dat", "1.png"], Names(source));
        Assert.StartsWith("1,501 files found: 3 read, 1,498 passed over: 1,498 .dat (0000.dat).", source.Sum, StringComparison.Ordinal);
    }

    [Fact]
    public void Folder_LinksInCircles_EntersEachFolderOnce()
    {
        Put("a/1.png", "a/b/2.png");
        Directory.CreateSymbolicLink(_folder["a/b/up"], _folder.Path);
        Directory.CreateSymbolicLink(_folder["a/self"], _folder["a"]);
        File.CreateSymbolicLink(_folder["a/loop.png"], _folder["a/loop.png"]);
        using var source = new ImageFolder(_folder.Path);
        Assert.Equal(["a/1.png", "a/b/2.png", "a/loop.png"], Names(source));
        Assert.Throws<ImageUnreadableException>(() => source.Open(2));
    }

    [Fact]
    public void Folder_LinkToAnotherFolder_IsFollowed()
    {
        using var other = new TemporaryFolder();
        File.WriteAllBytes(other["1.png"], _image);
        Directory.CreateSymbolicLink(_folder["linked"], other.Path);
        using var source = new ImageFolder(_folder.Path);
        Assert.Equal(["linked/1.png"], Names(source));
    }

    [Fact]
    public void Folder_StrangeAndLongNames_AreOpened()
    {
        Put("日本 語/картинка é #%.png", new string('n', 250) + ".png");
        using var source = new ImageFolder(_folder.Path);
        Assert.Equal(2, source.Count);
        for (var i = 0; i < source.Count; i++)
        {
            using var image = source.Open(i);
            Assert.Equal((12, 9), (image.Width, image.Height));
        }
    }

    [Fact]
    public void Folder_FileVanishedAfterListing_IsUnreadable()
    {
        Put("1.png");
        using var source = new ImageFolder(_folder.Path);
        File.Delete(_folder["1.png"]);
        Assert.Contains("no longer there", Assert.Throws<ImageUnreadableException>(() => source.Open(0)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Folder_Missing_SaysSo() => AssertRefused(_folder["missing"], "does not exist");

    [Fact]
    public void Folder_IsAFile_SaysSo() => AssertRefused(Written("a.png"), "is a file");

    [Fact]
    public void Folder_Empty_SaysWhatIsSupported() => AssertRefused(_folder.Path, "is empty", ".webp");

    [Fact]
    public void Folder_WithoutImages_SaysWhatWasFound()
    {
        foreach (var name in (string[])["a.txt", "b.txt", "c.heic", "README"]) File.WriteAllText(_folder[name], "words");
        AssertRefused(_folder.Path, "4 files", "2 .txt", "1 HEIC", "1 without ending", ".webp");
    }

    private static void AssertRefused(string path, params string[] parts)
    {
        var refusal = Assert.Throws<JepaException>(() => new ImageFolder(path));
        Assert.True(refusal.IsUsage);
        Assert.All([path, .. parts], part => Assert.Contains(part, refusal.Message, StringComparison.Ordinal));
    }

    private static string[] Names(ImageFolder source) => [.. Enumerable.Range(0, source.Count).Select(source.NameOf)];

    private string Written(string name)
    {
        Put(name);
        return _folder[name];
    }

    private void Put(params string[] names)
    {
        foreach (var name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllBytes(_folder[name], _image);
        }
    }
}
