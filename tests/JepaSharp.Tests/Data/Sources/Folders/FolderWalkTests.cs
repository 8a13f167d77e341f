using JepaSharp.Data.Sources.Folders;

namespace JepaSharp.Tests.Data.Sources.Folders;

public sealed class FolderWalkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Walk_FolderReachedByLinksOfAnyPlace_EntersItOnce()
    {
        Put("disk/photos/a/1.png", "disk/photos/b/2.png");
        Directory.CreateDirectory(_folder["home"]);
        Directory.CreateSymbolicLink(_folder["home/link"], "../disk");
        Directory.CreateSymbolicLink(_folder["disk/photos/b/loop"], _folder["disk/photos"]);
        Directory.CreateSymbolicLink(_folder["disk/photos/b/roundabout"], "../../../home/link/photos/a");
        foreach (var root in (string[])["disk/photos", "home/link/photos"])
        {
            var contents = FolderWalk.Of(_folder[root]);
            Assert.Equal(["a/1.png", "b/2.png"], contents.Files);
            Assert.Equal([new("b/loop", ""), new("b/roundabout", "a")], contents.SecondFolders);
        }
    }

    [Fact]
    public void Walk_LinkBeforeTheFolder_ReadsItByItsOwnName()
    {
        Put("cat/1.png");
        Directory.CreateSymbolicLink(_folder["aaa"], _folder["cat"]);
        var contents = FolderWalk.Of(_folder.Path);
        Assert.Equal(["cat/1.png"], contents.Files);
        Assert.Equal([new("aaa", "cat")], contents.SecondFolders);
        Assert.Equal(["cat"], contents.TopFolders);
    }

    [Fact]
    public void Walk_TwoLinksToOneFolderElsewhere_ReadsItByTheFirst()
    {
        using var elsewhere = new TemporaryFolder();
        File.WriteAllText(elsewhere["1.png"], "x");
        Directory.CreateSymbolicLink(_folder["b"], elsewhere.Path);
        Directory.CreateSymbolicLink(_folder["a"], elsewhere.Path);
        var contents = FolderWalk.Of(_folder.Path);
        Assert.Equal(["a/1.png"], contents.Files);
        Assert.Equal([new("b", "a")], contents.SecondFolders);
    }

    [Fact]
    public void Walk_LinkToAFolderAbove_IsNotFollowed()
    {
        Put("set/a/1.png", "other/2.png");
        Directory.CreateSymbolicLink(_folder["set/a/up"], _folder.Path);
        var contents = FolderWalk.Of(_folder["set"]);
        Assert.Equal(["a/1.png"], contents.Files);
        Assert.Equal(["a/up"], contents.LinksAbove);
    }

    [Fact]
    public void Walk_FilesLinkedInTheSet_AreReadByTheirOwnNames()
    {
        Put("z/1.png", "z/2.png");
        Directory.CreateDirectory(_folder["a"]);
        File.CreateSymbolicLink(_folder["a/link.png"], _folder["z/1.png"]);
        File.CreateSymbolicLink(_folder["a/nowhere.png"], _folder["gone.png"]);
        var contents = FolderWalk.Of(_folder.Path);
        Assert.Equal(["a/nowhere.png", "z/1.png", "z/2.png"], contents.Files);
        Assert.Equal([new("a/link.png", "z/1.png")], contents.SecondFiles);
        Assert.Equal(4, contents.Found);
    }

    [Fact]
    public void Walk_LinksToFilesElsewhere_AreAllRead()
    {
        using var store = new TemporaryFolder();
        foreach (var name in (string[])["1", "2"])
        {
            File.WriteAllText(store[name], "x");
            File.CreateSymbolicLink(_folder[$"{name}.png"], store[name]);
        }

        File.CreateSymbolicLink(_folder["again.png"], store["2"]);
        var contents = FolderWalk.Of(_folder.Path);
        Assert.Equal(["1.png", "2.png"], contents.Files);
        Assert.Equal([new("again.png", "2.png")], contents.SecondFiles);
    }

    [Fact]
    public void Walk_HiddenFoldersAndSystemFiles_AreCounted()
    {
        Put("1.png", ".git/a/b", ".git/c", "@eaDir/1.png/T.jpg", "._1.png", "Thumbs.db", "sub/.hidden");
        var contents = FolderWalk.Of(_folder.Path);
        Assert.Equal(["1.png"], contents.Files);
        Assert.Equal(6, contents.SetAside.Count);
        Assert.Equal(7, contents.Found);
        Assert.StartsWith("2 in hidden folders (.git/c)", contents.SetAside.ToString(), StringComparison.Ordinal);
    }

    private void Put(params string[] names)
    {
        foreach (var name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllText(_folder[name], name);
        }
    }
}
