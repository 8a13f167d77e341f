using System.Diagnostics;
using JepaSharp.Weights;

namespace JepaSharp.Tests.Weights;

/// <summary>A file must be refused with the reason and in under 200 MB, without hanging: under a second on a machine that is not busy.</summary>
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
        // No measure of speed, which a busy machine would spoil: it tells a refusal from a hang.
        Assert.True(seconds < 30, $"{seconds} s");
    }
}
