using JepaSharp.Runtime;

namespace JepaSharp.Tests.Runtime;

/// <summary>Renaming where somebody has the file open, as Windows would have it.</summary>
public sealed class RenamingTests
{
    private const int SharingViolation = unchecked((int)0x80070020), AccessDenied = unchecked((int)0x80070005), DiskFull = unchecked((int)0x80070070);

    [Fact]
    public void Patiently_WhereAScannerHasTheFileForAMoment_TriesAgain()
    {
        var failures = new Queue<Exception>([new IOException("open", SharingViolation), new UnauthorizedAccessException { HResult = AccessDenied }]);
        var waits = new List<int>();
        var done = 0;
        Renaming.Patiently(() =>
        {
            if (failures.TryDequeue(out var failure)) throw failure;
            done++;
        }, onWindows: true, waits.Add);
        Assert.Equal(1, done);
        Assert.Equal([12, 24], waits);
    }

    [Fact]
    public void Patiently_WhereSomebodyKeepsItOpen_FailsAfterAWhile()
    {
        var waited = 0;
        Assert.Throws<IOException>(() =>
            Renaming.Patiently(() => throw new IOException("open", SharingViolation), onWindows: true, wait => waited += wait));
        Assert.InRange(waited, 1000, 2000);
    }

    [Theory]
    [InlineData(DiskFull, true)]
    [InlineData(SharingViolation, false)]
    public void Patiently_WhereWaitingCannotHelp_FailsAtOnce(int error, bool onWindows)
    {
        var tries = 0;
        Assert.Throws<IOException>(() => Renaming.Patiently(() =>
        {
            tries++;
            throw new IOException("no", error);
        }, onWindows, _ => Assert.Fail("It waited.")));
        Assert.Equal(1, tries);
    }
}
