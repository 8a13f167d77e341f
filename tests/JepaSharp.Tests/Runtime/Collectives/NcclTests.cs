using System.Runtime.CompilerServices;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Runtime.Collectives;

/// <summary>Everything about NCCL up to the call, which no machine without GPUs can make.</summary>
public sealed class NcclTests
{
    [Fact]
    public void Sums_OfThreeRanks_GoThroughOneNamedGroup()
    {
        var nccl = NcclStandIn.Of(3);
        var sums = ThreadRanks.All(3, ranks =>
        {
            using var scope = NewDisposeScope();
            using var group = new NcclSums(ranks, nccl, PlaceInMainMemory);
            var (own, more) = (full([2, 3], ranks.Rank + 1f), arange(4, float32));
            group.Sum([own, more]);
            return (own.data<float>().ToArray(), more.data<float>().ToArray(), group.Description);
        });
        foreach (var (own, more, description) in sums)
        {
            Assert.Equal([6, 6, 6, 6, 6, 6], own);
            Assert.Equal([0, 3, 6, 9], more);
            Assert.Equal("NCCL 2.21.5 (stand-in)", description);
        }

        Assert.Equal((3, 0), NcclStandIn.Ends);
    }

    [Fact]
    public void Group_AfterAFailure_IsLeftWithoutWaiting_Once()
    {
        var nccl = NcclStandIn.Of(2);
        _ = ThreadRanks.All(2, ranks =>
        {
            using var group = new NcclSums(ranks, nccl, PlaceInMainMemory);
            group.Abort();
            group.Abort();
            return 0;
        });
        Assert.Equal((0, 2), NcclStandIn.Ends);
    }

    [Fact]
    public void Numbers_OtherThanFloat32_AreRefusedBeforeTheCall()
    {
        var nccl = NcclStandIn.Of(1);
        using var group = new NcclSums(Collective.Alone, nccl, PlaceInMainMemory);
        using var halves = zeros([2], bfloat16);
        _ = Assert.Throws<ArgumentException>(() => group.Sum([halves]));
    }

    [Fact]
    public void Failure_OfACall_IsSaidInNcclsWords()
    {
        var nccl = NcclStandIn.Of(2);
        var failure = Assert.Throws<JepaException>(() => nccl.Join(nccl.NewId(), size: 3, rank: 0));
        Assert.Equal("ncclCommInitRank failed: invalid argument", failure.Message);
    }

    [Fact]
    public void Library_IsSoughtInTheInstalledPyTorch()
    {
        Assert.Equal(["/x/libnccl.so.2"], NcclLibrary.Candidates("/x/libnccl.so.2", "/site-packages/torch/lib"));
        Assert.Equal(["libnccl.so.2"], NcclLibrary.Candidates(null, null));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(["/site-packages/torch/lib/libnccl.so.2", "/site-packages/nvidia/nccl/lib/libnccl.so.2", "libnccl.so.2"],
            NcclLibrary.Candidates(null, "/site-packages/torch/lib"));
    }

    [Fact]
    public void Library_ThatIsNowhere_IsNamedWithAWayOut()
    {
        var refusal = Assert.Throws<JepaException>(() => NcclLibrary.Load(["/nowhere/libnccl.so.2"]));
        Assert.Contains("does not load (/nowhere/libnccl.so.2). Set JEPASHARP_NCCL", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Place_OfATensor_IsWhereItsNumbersBegin()
    {
        using var all = arange(10, float32);
        using var part = all.narrow(0, 3, 4);
        Assert.Equal(PlaceInMainMemory(part), NcclSums.DataOf(part));
        Assert.Equal(PlaceInMainMemory(all) + 12, NcclSums.DataOf(part));
    }

    [Fact]
    public void Ranks_OfWhichSomeHaveNoGpu_AreRefused()
    {
        var ends = ThreadRanks.Run(2, ranks =>
        {
            RankDevices.RequireAlike(ranks, ranks.IsFirst ? "cuda" : "cpu");
            return 0;
        });
        Assert.All(ends, end => Assert.Contains(
            "rank 1 on machine0 (process 1001) has no GPU of its own", end.Failure!.Message, StringComparison.Ordinal));
    }

    private static unsafe nint PlaceInMainMemory(Tensor tensor)
    {
        var bytes = tensor.bytes;
        return (nint)Unsafe.AsPointer(ref bytes[0]);
    }
}
