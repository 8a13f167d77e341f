using JepaSharp.Runtime;

namespace JepaSharp.Tests.Runtime;

/// <summary>Records of a run are read while it writes them.</summary>
public sealed class GrowingTextTests
{
    [Fact]
    public void Lines_OfAText_AreThoseOfTheFile()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["metrics.csv"], "epoch,itr\n1,1\n1,2");
        Assert.Equal(["epoch,itr", "1,1", "1,2"], GrowingText.Lines(folder["metrics.csv"]));
    }

    [Fact]
    public void Lines_WhileAnotherWrites_AreRead()
    {
        if (!OperatingSystem.IsWindows()) Assert.Skip("Only Windows keeps readers out that forbid writing.");
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["metrics.csv"], "epoch,itr\n");
        using var writer = new FileStream(folder["metrics.csv"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        Assert.Throws<IOException>(() => File.ReadAllText(folder["metrics.csv"]));
        Assert.Equal(["epoch,itr"], GrowingText.Lines(folder["metrics.csv"]));
    }
}
