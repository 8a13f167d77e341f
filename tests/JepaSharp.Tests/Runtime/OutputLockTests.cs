using JepaSharp.Cli;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Runtime;

public sealed class OutputLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Output_ThatSomebodyWrites_IsRefusedWithWhatIsGoingOn()
    {
        using (OutputLock.Beside(_folder["a.npy"], "embedding into"))
        {
            var error = Assert.Throws<JepaException>(() => OutputLock.Beside(_folder["a.npy"], "embedding into"));
            Assert.StartsWith($"Another process is embedding into {_folder["a.npy"]}", error.Message, StringComparison.Ordinal);
            OutputLock.Beside(_folder["b.npy"], "embedding into").Dispose();
        }

        OutputLock.Beside(_folder["a.npy"], "embedding into").Dispose();
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Lock_ThatACrashLeft_DoesNotBlock()
    {
        File.WriteAllText(_folder["a.npy.lock"], "left by a process that is no more");
        OutputLock.Beside(_folder["a.npy"], "embedding into").Dispose();
        Assert.False(File.Exists(_folder["a.npy.lock"]));
    }

    [Fact]
    public void Lock_WantedByMany_IsHeldByOneAtATime()
    {
        var (holders, most, taken) = (0, 0, 0);
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            using var held = OutputLock.TryTake(_folder["a.lock"]);
            if (held is null) return;
            Interlocked.Increment(ref taken);
            var now = Interlocked.Increment(ref holders);
            if (now > 1) Interlocked.Exchange(ref most, now);
            Thread.Yield();
            Interlocked.Decrement(ref holders);
        });
        Assert.Equal(0, most);
        Assert.True(taken > 0);
    }

    [Fact]
    public void Folder_ThatIsNotThere_IsSaid()
    {
        var error = Assert.Throws<JepaException>(() => OutputLock.Beside(_folder["no/a.npy"], "writing"));
        Assert.Contains("There is no folder", error.Message, StringComparison.Ordinal);
        OutputLock.Beside(_folder["new/a"], "writing", makeFolder: true).Dispose();
    }

    [Theory]
    [InlineData("~/a b", "HOME/a b")]
    [InlineData("--out=~/a", "--out=HOME/a")]
    [InlineData("data.path=~/a#only=x", "data.path=HOME/a#only=x")]
    [InlineData("--set=data.path=~/a", "--set=data.path=HOME/a")]
    [InlineData("--out=~", "--out=HOME/")]
    [InlineData("./~/a", "./~/a")]
    [InlineData("a~/b", "a~/b")]
    [InlineData("--out=a=~/b", "--out=a=~/b")]
    [InlineData("~$a", "~$a")]
    public void Tilde_WhereAPathBegins_IsHome(string argument, string expected)
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.Equal([expected.Replace("HOME", home, StringComparison.Ordinal)], HomeFolders.In([argument]));
    }

    [Fact]
    public void Tilde_OfAnotherUser_IsRefused()
    {
        var error = Assert.Throws<JepaException>(() => HomeFolders.In(["--out=~nobody-here/x"]));
        Assert.Contains("another user's home", error.Message, StringComparison.Ordinal);
    }
}
