using JepaSharp.Training;

namespace JepaSharp.Tests.Training;

public sealed class SlowRanksTests
{
    [Fact]
    public void Rank_ThatWorksLongerInEveryStep_IsFoundOnce()
    {
        var slow = new SlowRanks(3);
        var found = new List<(int Rank, double Seconds, double Others)>();
        for (var step = 0; step < 100; step++)
        {
            foreach (var rank in (int[])[0, 1, 2]) slow.Note(rank, rank == 2 ? 0.9 : 0.5);
            if (slow.Found() is { } rankFound) found.Add(rankFound);
        }

        Assert.Equal([(2, 0.9, 0.5)], found);
    }

    [Fact]
    public void Rank_ThatIsLateNowAndThen_IsNotSlow()
    {
        var slow = new SlowRanks(2);
        for (var step = 0; step < 100; step++)
        {
            slow.Note(0, step % 10 == 0 ? 60 : 0.5); // a monitor's look
            slow.Note(1, 0.6);
            Assert.Null(slow.Found());
        }
    }
}
