using JepaSharp.Configuration;
using JepaSharp.Runs;

namespace JepaSharp.Tests.Runs;

public sealed class RankSharesTests
{
    /// <summary>A batch that was chosen is divided, whatever is learned from it; one that was asked for is each process's.</summary>
    [Theory]
    [InlineData("ijepa", true, 4, 2)]
    [InlineData("msn", true, 4, 2)]
    [InlineData("lejepa", true, 4, 2)]
    [InlineData("lejepa", false, 8, 2)]
    public void Step_OfOneBatch_IsSharedByProcesses(string objective, bool isChosen, int batch, int accumulate)
    {
        var options = new PretrainOptions { Data = new DataOptions { BatchSize = 8 }, Meta = new MetaOptions { Objective = objective } };
        var (shared, reason) = RankShares.Of(options, 2, isChosen);
        Assert.Equal((batch, accumulate), (shared.Data.BatchSize, shared.Optimization.Accumulate));
        Assert.Equal(objective == "ijepa" ? 8 : null, shared.Mask.ImagesPerLength);
        Assert.Contains(isChosen ? "the batch of 8 images divided" : "16 images a step", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Step_ThatDoesNotComeOutEven_IsABatchForEach()
    {
        var (shared, _) = RankShares.Of(new PretrainOptions { Data = new DataOptions { BatchSize = 8 } }, 3, isChosen: true);
        Assert.Equal((8, 3), (shared.Data.BatchSize, shared.Optimization.Accumulate));
    }
}
