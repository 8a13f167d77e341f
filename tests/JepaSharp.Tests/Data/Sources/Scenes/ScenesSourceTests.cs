using JepaSharp.Data.Sources.Scenes;

namespace JepaSharp.Tests.Data.Sources.Scenes;

public sealed class ScenesSourceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void RenderAll_OnAnyNumberOfThreads_GivesTheBytesOfRenderingOnDemand()
    {
        using var onDemand = new ScenesSource(21, 24, 32);
        using var one = new ScenesSource(21, 24, 32);
        using var four = new ScenesSource(21, 24, 32);
        one.RenderAll(1, cancellation: Stop);
        four.RenderAll(4, cancellation: Stop);
        for (var i = 0; i < 24; i++)
        {
            Assert.Equal(Pixels(onDemand, i), Pixels(one, i));
            Assert.Equal(Pixels(onDemand, i), Pixels(four, i));
        }
    }

    [Fact]
    public void Open_SceneOfALongerOrShiftedSource_IsTheSameScene()
    {
        using var few = new ScenesSource(5, 4, 32);
        using var shifted = new ScenesSource(5, 10, 32, first: 2);
        Assert.Equal(Pixels(few, 3), Pixels(shifted, 1));
        Assert.Equal(few.NameOf(3), shifted.NameOf(1));
        Assert.Equal("scene_000003.png", few.NameOf(3));
        Assert.Equal(few.SceneOf(3).Objects, shifted.SceneOf(1).Objects);
    }

    [Fact]
    public void SceneOf_OtherSizes_IsTheSameScenePlacedInAnotherPicture()
    {
        using var square = new ScenesSource(5, 1, 64);
        using var wide = new ScenesSource(5, 1, 480, 320, 0);
        using var opened = wide.Open(0);
        Assert.Equal((480, 320), (opened.Width, opened.Height));
        foreach (var (a, b) in square.SceneOf(0).Objects.Zip(wide.SceneOf(0).Objects))
        {
            Assert.Equal(a with { Pixel = default }, b with { Pixel = default });
            Assert.Equal(a.Pixel.Depth, b.Pixel.Depth);
            Assert.InRange(b.Pixel.X - (7.5 * a.Pixel.X), -4.5, 4.5);
        }
    }

    [Fact]
    public void RenderAll_WithProgress_CountsEveryImage()
    {
        using var source = new ScenesSource(1, 9, 16);
        var seen = new System.Collections.Concurrent.ConcurrentBag<int>();
        source.RenderAll(2, new Immediate(seen.Add), Stop);
        Assert.Equal(Enumerable.Range(1, 9), seen.Order());
    }

    [Fact]
    public void Decode_OfAKeptImage_GivesTheCallerItsOwnPixels()
    {
        using var source = new ScenesSource(1, 1, 16);
        source.RenderAll(1, cancellation: Stop);
        var first = Pixels(source, 0);
        Array.Clear(first);
        Assert.Contains(Pixels(source, 0), value => value > 0);
    }

    private static byte[] Pixels(ScenesSource source, int index)
    {
        using var opened = source.Open(index);
        return opened.Decode().Pixels;
    }

    private sealed class Immediate(Action<int> report) : IProgress<int>
    {
        public void Report(int value) => report(value);
    }
}
