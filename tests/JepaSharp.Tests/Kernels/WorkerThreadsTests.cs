using JepaSharp.Kernels;

namespace JepaSharp.Tests.Kernels;

public sealed class WorkerThreadsTests
{
    [Fact]
    public void Run_ManySmallTasks_DoesEveryItemOnce()
    {
        var threads = new WorkerThreads(3);
        for (var task = 0; task < 3000; task++)
        {
            var counts = new int[task % 7];
            threads.Run(counts.Length, (item, _) => Interlocked.Increment(ref counts[item]));
            Assert.All(counts, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void Run_WithItemsThatThrow_ThrowsOneAndGoesOnWithTheNextTask()
    {
        var threads = new WorkerThreads(2);
        for (var time = 0; time < 50; time++)
        {
            var e = Assert.Throws<InvalidOperationException>(() => threads.Run(20, (item, _) =>
            {
                if (item % 3 == 1) throw new InvalidOperationException("no");
            }));
            Assert.Equal("no", e.Message);
            var sum = 0;
            threads.Run(5, (item, _) => Interlocked.Add(ref sum, item));
            Assert.Equal(10, sum);
        }
    }

    [Fact]
    public void Run_Alone_StaysOnTheCallersThread()
    {
        var threads = new WorkerThreads(4);
        var caller = Environment.CurrentManagedThreadId;
        using (threads.Alone())
            threads.Run(100, (_, _) => Assert.Equal(caller, Environment.CurrentManagedThreadId));
    }
}
