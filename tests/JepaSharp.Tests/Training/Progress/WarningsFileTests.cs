using JepaSharp.Training.Progress;

namespace JepaSharp.Tests.Training.Progress;

public sealed class WarningsFileTests
{
    [Fact]
    public void Warnings_None_LeaveNoFile()
    {
        using var folder = new TemporaryFolder();
        ITrainingObserver file = WarningsFile.Create(folder["warnings.txt"]);
        file.OnCheckpoint(10);
        file.OnEnd(new RunEnd(RunOutcome.Completed, 10, TimeSpan.Zero));
        Assert.False(File.Exists(folder["warnings.txt"]));
        Assert.Empty(WarningsFile.Read(folder["warnings.txt"]));
    }

    [Fact]
    public void Warnings_OfSeveralLines_AreALineEach()
    {
        using var folder = new TemporaryFolder();
        ITrainingObserver file = WarningsFile.Create(folder["warnings.txt"]);
        file.OnWarning(20, "one\ntwo");
        file.OnWarning(30, "three");
        Assert.Equal(["step 20: one two", "step 30: three"], WarningsFile.Read(folder["warnings.txt"]));
    }

    [Theory]
    [InlineData(19, 0)]
    [InlineData(20, 1)]
    [InlineData(35, 2)]
    public void Warnings_OfAResumedRun_KeepThoseThatStillHold(long step, int kept)
    {
        using var folder = new TemporaryFolder();
        ITrainingObserver before = WarningsFile.Create(folder["warnings.txt"]);
        before.OnWarning(20, "one");
        before.OnWarning(30, "two");
        ITrainingObserver after = WarningsFile.Resume(folder["warnings.txt"], step);
        Assert.Equal(kept, WarningsFile.Read(folder["warnings.txt"]).Count);
        after.OnWarning(40, "three");
        Assert.Equal("step 40: three", WarningsFile.Read(folder["warnings.txt"])[^1]);
        Assert.Equal(kept + 1, WarningsFile.Read(folder["warnings.txt"]).Count);
    }
}
