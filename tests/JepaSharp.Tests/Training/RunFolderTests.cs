using System.Diagnostics;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Tests.Training;

public sealed class RunFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Run => _folder["my run ü"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Folder_New_HasItsPlaces()
    {
        using var run = RunFolder.Create(Run);
        Assert.True(Directory.Exists(run.Checkpoints));
        Assert.Equal(Path.Combine(Run, "checkpoints", "epoch-0005"), run.EpochCheckpoint(5));
        Assert.Equal(Path.Combine(Run, "checkpoints", "latest"), run.LatestCheckpoint);
    }

    [Fact]
    public void Create_WhereARunIs_SaysHowToGoOnAndTouchesNothing()
    {
        MakeRun();
        var e = Assert.Throws<JepaException>(() => RunFolder.Create(Run));
        Assert.True(e.IsUsage);
        Assert.Contains("--resume", e.Message, StringComparison.Ordinal);
        Assert.Equal("seed: 1", File.ReadAllText(Path.Combine(Run, "config.yaml")));
    }

    [Fact]
    public void Create_WhereOtherFilesAre_IsRefusedAndLeavesNoTrace()
    {
        Directory.CreateDirectory(Run);
        File.WriteAllText(Path.Combine(Run, "thesis.tex"), "");
        var e = Assert.Throws<JepaException>(() => RunFolder.Create(Run));
        Assert.True(e.IsUsage);
        Assert.Contains("thesis.tex", e.Message, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(Run));
    }

    [Fact]
    public void Create_WhereARunDiedBeforeItBegan_Succeeds()
    {
        RunFolder.Create(Run).Dispose();
        RunFolder.Create(Run).Dispose();
    }

    [Fact]
    public void Create_OnAFile_IsRefused()
    {
        File.WriteAllText(Run, "");
        Assert.True(Assert.Throws<JepaException>(() => RunFolder.Create(Run)).IsUsage);
    }

    [Fact]
    public void Create_BelowAFile_SaysThatItCannotBeWritten()
    {
        File.WriteAllText(Run, "");
        var e = Assert.Throws<JepaException>(() => RunFolder.Create(Path.Combine(Run, "deeper")));
        Assert.Contains("cannot be written", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhereNothingCanBeMade_SaysThatItCannotBeWritten()
    {
        if (!Directory.Exists("/proc")) Assert.Skip("There is no /proc here.");
        Assert.Contains("cannot be written", Assert.Throws<JepaException>(() => RunFolder.Create("/proc/run")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("a\0b")]
    public void Create_WithNoName_IsRefused(string path) => Assert.True(Assert.Throws<JepaException>(() => RunFolder.Create(path)).IsUsage);

    [Fact]
    public void Resume_WhereNoRunIs_IsRefusedAndMakesNothing()
    {
        Assert.True(Assert.Throws<JepaException>(() => RunFolder.Resume(Run)).IsUsage);
        Assert.False(Directory.Exists(Run));
    }

    [Fact]
    public void Resume_WhileAnotherHasTheFolder_IsRefusedUntilItIsLetGo()
    {
        MakeRun();
        using (RunFolder.Resume(Run))
        {
            var e = Assert.Throws<JepaException>(() => RunFolder.Resume(Run));
            Assert.Contains("Another process", e.Message, StringComparison.Ordinal);
            Assert.False(e.IsUsage);
        }

        RunFolder.Resume(Run).Dispose();
    }

    [Fact]
    public void Resume_WhileAnotherProcessHasTheLock_IsRefusedAndItsDeathFreesIt()
    {
        if (!File.Exists("/usr/bin/flock")) Assert.Skip("There is no flock program here.");
        MakeRun();
        using var other = Process.Start("/usr/bin/flock", ["--exclusive", "--no-fork", Path.Combine(Run, ".lock"), "sleep", "60"]);
        try
        {
            JepaException? refused = null;
            for (var tries = 0; tries < 100 && refused is null; tries++)
            {
                Thread.Sleep(20);
                try { RunFolder.Resume(Run).Dispose(); }
                catch (JepaException e) { refused = e; }
            }

            Assert.Contains("Another process", refused?.Message ?? "", StringComparison.Ordinal);
        }
        finally
        {
            other.Kill();
            other.WaitForExit();
        }

        RunFolder.Resume(Run).Dispose();
    }

    [Fact]
    public void DefaultPath_Taken_GetsANumber()
    {
        var clock = new FakeClock();
        var first = RunFolder.DefaultPath("tiny", _folder.Path, clock);
        Assert.Equal("2026-03-04-050607-tiny", Path.GetFileName(first));
        Directory.CreateDirectory(first);
        Assert.Equal(first + "-2", RunFolder.DefaultPath("tiny", _folder.Path, clock));
    }

    private void MakeRun()
    {
        using var run = RunFolder.Create(Run);
        File.WriteAllText(Path.Combine(Run, "config.yaml"), "seed: 1");
    }
}
