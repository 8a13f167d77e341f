using System.Diagnostics;
using JepaSharp.Weights;

namespace JepaSharp.Tests.Weights;

/// <summary>A file must be refused with the reason, in under a second and 200 MB.</summary>
internal static class Refusal
{
    private const long MostBytes = 200_000_000;

    public static void Check(Action open, string path, string reason)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        var exception = Assert.Throws<WeightsFileException>(open);
        var seconds = clock.Elapsed.TotalSeconds;
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Contains(reason, exception.Message);
        Assert.Contains(path, exception.Message);
        Assert.True(exception.IsUsage);
        Assert.True(exception.Message.Length < 1500, exception.Message);
        Assert.True(bytes < MostBytes, $"{bytes} bytes");
        // Twice the second that is promised: other tests run at the same time.
        Assert.True(seconds < 2, $"{seconds} s");
    }
}
