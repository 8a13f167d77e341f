using JepaSharp.Tests.Runtime.Collectives;
using JepaSharp.Training;
using JepaSharp.Training.Progress;
using static TorchSharp.torch;

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

    /// <summary>Whoever waits within a step for one that works is not as slow as that.</summary>
    [Fact]
    public void Rank_ThatIsWaitedForWithinAStep_IsTheSlowOne()
    {
        var said = ThreadRanks.All(2, ranks =>
        {
            using var scope = NewDisposeScope();
            // Of the four times that a step asks for the clock: one works before they come together, one waits there.
            var (told, clock) = (new Warnings(), new Readings(ranks.Rank == 1 ? [1, 0, 0, 0] : [0, 1, 0, 0]));
            using var meeting = new StepMeeting(ranks, clock) { Observer = told };
            for (var step = 1; step <= SlowRanks.Steps; step++)
            {
                meeting.Exchange([zeros(2)]);
                _ = meeting.Meet(step, loss: 0);
                meeting.Part();
            }

            return told.Texts;
        });
        Assert.All(said, texts => Assert.Contains("rank 1 on machine0 (process 1001) works 1 s", Assert.Single(texts), StringComparison.Ordinal));
    }

    private sealed class Warnings : ITrainingObserver
    {
        public List<string> Texts { get; } = [];

        public void OnStep(in StepReport step)
        {
        }

        public void OnWarning(long step, string text) => Texts.Add(text);
    }

    /// <summary>A clock that goes on by so many seconds each time that it is read, the first time aside, in turn.</summary>
    private sealed class Readings(double[] seconds) : TimeProvider
    {
        private double _now;
        private int _read = -1;

        public override long GetTimestamp()
        {
            if (_read >= 0) _now += seconds[_read % seconds.Length];
            _read++;
            return (long)(_now * TimestampFrequency);
        }
    }
}
