using JepaSharp.Data;
using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Decoding;

public class DecodingMemoryTests
{
    private const long Pool = 100, Place = 1000;

    [Fact]
    public void Rooms_OfManyThreads_NeverHoldMoreThanPoolAndPlace()
    {
        var memory = new DecodingMemory(Pool, Place);
        Parallel.For(0, 400, new() { MaxDegreeOfParallelism = 16, CancellationToken = TestContext.Current.CancellationToken }, i =>
        {
            var random = new RandomStream((ulong)i, RandomPurpose.Evaluation);
            using var room = new DecodingRoom(memory);
            room.Grow(random.NextInt(60));
            Thread.Yield();
            room.Grow(random.NextInt(5) == 0 ? random.NextInt((int)Place) : random.NextInt(90));
        });
        Assert.InRange(memory.MostUsed, 1, Pool + Place);
        using var all = new DecodingRoom(memory);
        all.Grow(Place); // what was held has been given back
        using var beside = new DecodingRoom(memory);
        beside.Grow(Pool);
        Assert.False(beside.IsAlone);
    }

    [Fact]
    public async Task Room_LargerThanThePool_WaitsForTheOnePlace()
    {
        var memory = new DecodingMemory(Pool, Place);
        var first = new DecodingRoom(memory);
        first.Grow(500);
        using var second = new DecodingRoom(memory);
        var waiting = Task.Run(() => second.Grow(500), TestContext.Current.CancellationToken);
        using (var small = new DecodingRoom(memory)) small.Grow(50); // goes on beside
        Assert.False(waiting.IsCompleted);
        first.Dispose();
        await waiting.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        Assert.True(second.IsAlone);
    }

    [Fact]
    public void Open_ImageThatCannotBeRead_LeavesNothingHeld()
    {
        var memory = new DecodingMemory(Pool, Place);
        using var source = new Failing();
        Assert.Throws<ImageUnreadableException>(() => memory.Open(source, 0));
        Assert.Contains("data.memory_mb (or --memory-mb)", Assert.Throws<ImageUnreadableException>(() => memory.Open(source, 1)).Message,
            StringComparison.Ordinal);
        using var room = new DecodingRoom(memory);
        room.Grow(Pool);
        Assert.False(room.IsAlone);
    }

    [Fact]
    public void DecodeWhole_MoreThanOneImageMayTake_IsRefused()
    {
        var memory = new DecodingMemory(Pool, Place);
        using var source = new Failing();
        using var image = memory.Open(source, 2);
        Assert.Contains("one image may take", Assert.Throws<ImageUnreadableException>(() => image.DecodeWhole(new PixelBuffer())).Message,
            StringComparison.Ordinal);
    }

    private sealed class Failing : ImageSource
    {
        public override int Count => 3;

        public override string Description => "failing";

        public override string NameOf(int index) => $"{index}";

        public override long StoredBytes(int index) => index == 1 ? Place + 1 : 90;

        public override OpenedImage Open(int index) =>
            index == 2 ? new PixelImage(new RgbImage(40, 30)) : throw new ImageUnreadableException("0", "broken");
    }
}
