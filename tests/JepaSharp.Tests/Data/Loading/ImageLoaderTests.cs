using CsCheck;
using JepaSharp.Data.Augmentation;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data.Sources;

namespace JepaSharp.Tests.Data.Loading;

public class ImageLoaderTests
{
    private static readonly ImageLoaderOptions Options = new()
    {
        BatchSize = 8,
        Seed = 7,
        Threads = 1,
        Views = [new View("image", new TrainingTransform { CropSize = 16, Augmentations = new Augmentations { Flip = 0.5 } })],
    };

    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(8, 5)]
    public void Epoch_AnyNumberOfThreads_GivesTheSameBytes(int threads, int prefetch)
    {
        using var source = new NumberedImages(100);
        var expected = Take(new ImageLoader(source, Options).Epoch(3, 0, Cancellation));
        Assert.Equal(12, expected.Count);
        AssertSame(expected, Take(new ImageLoader(source, Options with { Threads = threads, PrefetchBatches = prefetch }).Epoch(3, 0, Cancellation)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(12)]
    public void Epoch_FromTheMiddle_GivesWhatWouldHaveCome(int firstBatch)
    {
        using var source = new NumberedImages(100, isBroken: i => i is 13 or 14 or 57);
        var whole = Take(new ImageLoader(source, Options).Epoch(1, 0, Cancellation));
        AssertSame(whole[firstBatch..], Take(new ImageLoader(source, Options with { Threads = 3 }).Epoch(1, firstBatch, Cancellation)));
    }

    [Fact]
    public void Epoch_Order_IsAPermutationThatChangesWithEpochAndSeed()
    {
        using var source = new NumberedImages(96);
        int[] Order(ulong seed, int epoch) =>
            [.. Take(new ImageLoader(source, Options with { Seed = seed }).Epoch(epoch, 0, Cancellation)).SelectMany(b => b.Indices)];
        Assert.Equal(Enumerable.Range(0, 96), Order(7, 0).Order());
        Assert.NotEqual(Order(7, 0), Order(7, 1));
        Assert.NotEqual(Order(7, 0), Order(8, 0));
    }

    [Fact]
    public void Epoch_CropOfAnImage_DependsOnSeedEpochAndIndexAlone()
    {
        using var source = new NumberedImages(96);
        var small = CropsByIndex(new ImageLoader(source, Options with { BatchSize = 3 }).Epoch(2, 0, Cancellation));
        var large = CropsByIndex(new ImageLoader(source, Options with { BatchSize = 32 }).Epoch(2, 0, Cancellation));
        var later = CropsByIndex(new ImageLoader(source, Options).Epoch(3, 0, Cancellation));
        Assert.All(small, entry => Assert.Equal(entry.Value, large[entry.Key]));
        Assert.All(small, entry => Assert.NotEqual(entry.Value, later[entry.Key]));
    }

    [Fact]
    public void Epoch_Shards_AreDisjointAndCoverTheSource()
    {
        using var source = new NumberedImages(96);
        var shards = Enumerable.Range(0, 3)
            .Select(rank => Take(new ImageLoader(source, Options with { Rank = rank, WorldSize = 3 }).Epoch(0, 0, Cancellation))).ToArray();
        Assert.All(shards, s => Assert.Equal(4, s.Count));
        Assert.Equal(Enumerable.Range(0, 96), shards.SelectMany(s => s).SelectMany(b => b.Indices).Order());
    }

    /// <summary>Twelve batches; two processes that take two of every four each get those that one process would, whatever epoch they begin
    /// in.</summary>
    [Fact]
    public void Epochs_OfProcessesInTurn_AreTheBatchesOfOne()
    {
        using var source = new NumberedImages(96);
        var whole = Take(new ImageLoader(source, Options).Epochs(0, 4, 12, 16, Cancellation));
        for (var rank = 0; rank < 2; rank++)
        {
            var options = Options with { Rank = rank, WorldSize = 2, BatchesInTurn = 2 };
            var own = Take(new ImageLoader(source, options).Epochs(0, 4, 12, 16, Cancellation));
            AssertSame([.. whole.Where((_, batch) => batch / 2 % 2 == rank)], own);
        }

        var shared = new ImageLoader(source, Options with { WorldSize = 2, BatchesInTurn = 2 });
        _ = Assert.Throws<ArgumentException>(() => shared.Epochs(0, 2, 12, 16, Cancellation));
    }

    [Fact]
    public void Epoch_BrokenImages_GiveTheirPlaceToTheNextInTheOrder()
    {
        using var sound = new NumberedImages(96);
        using var source = new NumberedImages(96, isBroken: i => i is 5 or 50);
        var loader = new ImageLoader(source, Options with { Threads = 2 });
        int[] expected = [.. Take(new ImageLoader(sound, Options).Epoch(0, 0, Cancellation)).SelectMany(b => b.Indices)];
        for (var i = 0; i < expected.Length; i++)
        {
            for (var next = i; expected[i] is 5 or 50; next++) expected[i] = expected[(next + 1) % expected.Length];
        }

        var batches = Take(loader.Epoch(0, 0, Cancellation));
        Assert.Equal(expected, batches.SelectMany(b => b.Indices));
        Assert.All(batches, b => Assert.Contains(b.Pixels, v => v != 0));
        Assert.Equal(["image 5", "image 50"], loader.Unreadable.Select(u => u.Name));
        Assert.All(loader.Unreadable, u => Assert.Equal("broken on purpose.", u.Reason));
    }

    [Fact]
    public void Epoch_TooManyBrokenImages_Stops()
    {
        using var source = new NumberedImages(96, isBroken: i => i % 8 == 0);
        var failure = Assert.Throws<JepaException>(() => Take(new ImageLoader(source, Options with { Threads = 2 }).Epoch(0, 0, Cancellation)));
        Assert.Contains("of the 96 images in numbered images cannot be read", failure.Message, StringComparison.Ordinal);
        Assert.Contains("broken on purpose", failure.Message, StringComparison.Ordinal);
        Assert.Equal(12, Take(new ImageLoader(source, Options with { MaxUnreadableShare = 0.5 }).Epoch(0, 0, Cancellation)).Count);
    }

    [Fact]
    public void Epoch_AllBroken_StopsEvenWhereAllAreTolerated()
    {
        using var source = new NumberedImages(16, isBroken: _ => true);
        Assert.Throws<JepaException>(() => Take(new ImageLoader(source, Options with { MaxUnreadableShare = 1 }).Epoch(0, 0, Cancellation)));
    }

    [Fact]
    public void Epoch_PolicyFail_StopsAtTheFirst()
    {
        using var source = new NumberedImages(1000, isBroken: i => i == 5);
        var failure = Assert.Throws<JepaException>(
            () => Take(new ImageLoader(source, Options with { OnUnreadable = UnreadablePolicy.Fail }).Epoch(0, 0, Cancellation)));
        Assert.Contains("image 5", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Epoch_UnexpectedExceptionOnAThread_ReachesTheConsumer()
    {
        using var source = new NumberedImages(96, onOpen: i => { if (i == 40) throw new InvalidDataException("unexpected"); });
        Assert.Throws<InvalidDataException>(() => Take(new ImageLoader(source, Options with { Threads = 3 }).Epoch(0, 0, Cancellation)));
    }

    [Fact]
    public void Epoch_LeftEarly_StopsReadingAhead()
    {
        using var source = new NumberedImages(960);
        var loader = new ImageLoader(source, Options with { Threads = 3, PrefetchBatches = 2 });
        foreach (var batch in loader.Epoch(0, 0, Cancellation))
        {
            Thread.Sleep(50);
            Assert.Equal(8, batch.Count);
            break;
        }

        // The one handed out and two ahead, never more; and nothing after the end.
        var opened = source.Opened.Count;
        Assert.InRange(opened, 8, 24);
        Thread.Sleep(50);
        Assert.Equal(opened, source.Opened.Count);
    }

    [Fact]
    public void Epoch_Cancelled_EndsTheWait()
    {
        using var cancellation = new CancellationTokenSource();
        using var gate = new ManualResetEventSlim();
        using var source = new NumberedImages(96, onOpen: _ => gate.Wait(TimeSpan.FromSeconds(20)));
        var loader = new ImageLoader(source, Options);
        var consumer = Task.Run(() => Take(loader.Epoch(0, 0, cancellation.Token)), Cancellation);
        cancellation.CancelAfter(20);
        cancellation.Token.WaitHandle.WaitOne();
        gate.Set();
        Assert.Throws<OperationCanceledException>(() => consumer.GetAwaiter().GetResult());
    }

    [Fact]
    public void Epochs_OfAnyLoader_AreTheBatchesOfOneEpochAfterTheOther() =>
        Gen.Select(Gen.Int[3, 40], Gen.Int[1, 3], Gen.Int[0, 5], Gen.Int[0, 20], Gen.Int[1, 4], Gen.Int[1, 6], Gen.Int[1, 100]).Sample(
            (images, batchSize, epoch, taken, threads, prefetch, choice) =>
            {
                using var source = new NumberedImages(images, isBroken: i => i == 2);
                var loader = new ImageLoader(source, Options with { BatchSize = batchSize, Threads = threads, PrefetchBatches = prefetch });
                var used = 1 + (choice % loader.BatchesPerEpoch);
                var first = choice % used;
                var plain = new ImageLoader(source, Options with { BatchSize = batchSize });
                var expected = Enumerable.Range(epoch, 1
                    + ((first + taken) / used)).SelectMany(e => Take(plain.Epoch(e, 0, Cancellation))[..used]).Skip(first).Take(taken);
                AssertSame([.. expected], Take(loader.Epochs(epoch, first, used, taken, Cancellation)));
            },
            iter: 60);

    [Fact]
    public void Epochs_WhileTheLastBatchOfAnEpochIsUsed_PrepareTheNextEpoch()
    {
        using var source = new NumberedImages(32);
        var loader = new ImageLoader(source, Options with { Threads = 2, PrefetchBatches = 2 });
        using var batches = loader.Epochs(0, 0, loader.BatchesPerEpoch, 8, Cancellation).GetEnumerator();
        for (var batch = 0; batch < 4; batch++) Assert.True(batches.MoveNext());

        // All of epoch 0, and two batches of epoch 1, though nobody has asked for them.
        Assert.True(SpinWait.SpinUntil(() => source.Opened.Count == 48, TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void Loader_SlowSource_CountsTheWait()
    {
        using var source = new NumberedImages(16, onOpen: _ => Thread.Sleep(5));
        var loader = new ImageLoader(source, Options);
        Take(loader.Epoch(0, 0, Cancellation));
        Assert.InRange(loader.Waited.TotalMilliseconds, 60, 5000);
    }

    [Fact]
    public void Loader_FewerImagesThanABatch_IsRefused()
    {
        using var source = new NumberedImages(15);
        var refusal = Assert.Throws<JepaException>(() => new ImageLoader(source, Options with { BatchSize = 16 }));
        Assert.True(refusal.IsUsage);
        Assert.Contains("15 images", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_SeveralOutOfRange_AreAllNamed()
    {
        using var source = new NumberedImages(15);
        var wrong = Options with
        {
            BatchSize = 0,
            Threads = 0,
            Rank = 2,
            Views = [new View("image", new TrainingTransform { Crop = new RandomResizedCrop { MinScale = 0 } })]
        };
        var refusal = Assert.Throws<JepaException>(() => new ImageLoader(source, wrong));
        Assert.All((string[])["batch size 0", "0 loader threads", "rank 2", "crop scale 0"], part => Assert.Contains(
            part, refusal.Message, StringComparison.Ordinal));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static List<ViewBytes> Take(IEnumerable<ViewBytes> batches) => [.. batches.Select(b => b with { Pixels = b.Pixels.ToArray() })];

    private static Dictionary<int, byte[]> CropsByIndex(IEnumerable<ViewBytes> batches) =>
        Take(batches).SelectMany(b => b.Indices.Select((index, i) => (index, b.Pixels[(i * 3 * 256)..((i + 1) * 3 * 256)]))).ToDictionary();

    private static void AssertSame(List<ViewBytes> expected, List<ViewBytes> found)
    {
        Assert.Equal(expected.Count, found.Count);
        foreach (var (a, b) in expected.Zip(found))
        {
            Assert.Equal(a.Indices, b.Indices);
            Assert.True(a.Pixels.AsSpan().SequenceEqual(b.Pixels));
        }
    }
}
