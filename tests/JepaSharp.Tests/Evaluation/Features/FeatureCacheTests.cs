using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Evaluation.Features;
using JepaSharp.Models;
using JepaSharp.Tests.Data;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Evaluation.Features;

public sealed class FeatureCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Features_KeptAndFound_AreTheSame()
    {
        var cache = new FeatureCache(_folder["new/cache"], 1 << 20);
        var features = new PooledFeatures(Synthetic.Noise(3, 5, 1), [0, 2, 4]);
        Assert.Null(cache.Find("k"));
        cache.Keep("k", features);
        var found = cache.Find("k")!;
        Assert.Equal(features.Matrix.Values.ToArray(), found.Matrix.Values.ToArray());
        Assert.Equal((3, 5), (found.Matrix.Rows, found.Matrix.Width));
        Assert.Equal(features.Indices, found.Indices);
        Assert.Single(Directory.GetFiles(cache.Folder));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(10)]
    public void Features_DamagedOnDisk_AreNotUsed(int at)
    {
        var cache = new FeatureCache(_folder.Path, 1 << 20);
        cache.Keep("k", new PooledFeatures(Synthetic.Noise(3, 5, 1), [0, 1, 2]));
        var file = Assert.Single(Directory.GetFiles(_folder.Path));
        var bytes = File.ReadAllBytes(file);
        bytes[at < 0 ? bytes.Length + at : at] ^= 0x10;
        File.WriteAllBytes(file, bytes);
        Assert.Null(cache.Find("k"));
    }

    [Fact]
    public void Features_BeyondTheLimit_GoThoseNotUsedForLongestFirst()
    {
        var cache = new FeatureCache(_folder.Path, 3000);
        foreach (var (key, age) in (ReadOnlySpan<(string, int)>)[("old", 3), ("used", 2)])
        {
            cache.Keep(key, new PooledFeatures(Synthetic.Noise(10, 25, 1), [.. Enumerable.Range(0, 10)]));
            File.SetLastWriteTimeUtc(
                Directory.GetFiles(_folder.Path).Single(f => f.Contains(key, StringComparison.Ordinal)), DateTime.UtcNow.AddHours(-age));
        }

        Assert.NotNull(cache.Find("used"));
        cache.Keep("new", new PooledFeatures(Synthetic.Noise(10, 25, 1), [.. Enumerable.Range(0, 10)]));
        Assert.Null(cache.Find("old"));
        Assert.NotNull(cache.Find("used"));
        Assert.NotNull(cache.Find("new"));
        cache.Keep("too large", new PooledFeatures(Synthetic.Noise(100, 25, 1), [.. Enumerable.Range(0, 100)]));
        Assert.Null(cache.Find("too large"));
        Assert.NotNull(cache.Find("new"));
    }

    [Fact]
    public void Key_OfWhatTheNumbersDependOn_ChangesWithEachOfIt()
    {
        WriteImages(2);
        using var scaling = new PixelScaling([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], CPU);
        using var encoder = new VisionTransformer(
            new VisionTransformerShape { ImageHeight = 16, ImageWidth = 16, PatchSize = 8, Width = 8, Depth = 2, Heads = 2, MlpWidth = 16 });
        Initialization.Initialize(encoder, 1, 0);
        string Key(EncoderOutput? output = null, int size = 16, string computation = "cpu fp32")
        {
            using var source = ImageSources.Open(_folder["images"]);
            return FeatureCache.KeyOf(new EncoderFeatures("any name", encoder, scaling, output ?? new(), size, computation),
                EvaluationTransform.CenterCrop(size), DataFingerprint.Of(_folder["images"], source));
        }

        var keys = new List<string> { Key() };
        Assert.Equal(keys[0], Key());
        keys.AddRange([Key(new EncoderOutput(2)), Key(size: 24), Key(computation: "cpu bf16")]);
        File.SetLastWriteTimeUtc(_folder["images/a/1.png"], DateTime.UtcNow.AddDays(-1));
        keys.Add(Key());
        WriteImages(3);
        keys.Add(Key());
        using (no_grad()) _ = encoder.parameters().Last().zero_();
        keys.Add(Key());
        using (no_grad()) _ = encoder.parameters().First().zero_();
        keys.Add(Key());
        Assert.Equal(7, keys.Distinct().Count()); // the last norm's bias was zero before
    }

    [Fact]
    public void Extraction_OfSeveralKinds_IsThatOfEach()
    {
        WriteImages(5);
        using var source = ImageSources.Open(_folder["images"]);
        using var scaling = new PixelScaling([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], CPU);
        using var encoder = new VisionTransformer(
            new VisionTransformerShape { ImageHeight = 16, ImageWidth = 16, PatchSize = 8, Width = 8, Depth = 2, Heads = 2, MlpWidth = 16 });
        Initialization.Initialize(encoder, 1, 0);
        var transform = EvaluationTransform.CenterCrop(16);
        var both = FrozenFeatures.Extract([new EncoderFeatures("e", encoder, scaling, new EncoderOutput(2), 16, ""), new PixelFeatures(16)], source,
            transform, batchSize: 2, cancellation: TestContext.Current.CancellationToken);
        var pooled = new FeatureExtractor(scaling, transform, CPU).Pooled(encoder, source, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(pooled.Indices, both[0].Indices);
        Assert.All(
            pooled.Matrix.Values.ToArray().Zip(both[0].Matrix.Columns(8, 8).Values.ToArray()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.Equal(3 * 16 * 16, both[1].Matrix.Width);
        Assert.InRange(both[1].Matrix.Values.ToArray().Max(), 0.5f, 1f);
    }

    [Fact]
    public void Pixels_OfLargeImages_AreAveragesOfBoxes()
    {
        var image = EncodedImages.Noise(64, 64, 3);
        var features = new PixelFeatures(64);
        var values = features.Of(new JepaSharp.Data.ImageBatch(1, 64, 64, image.Pixels, [0]));
        Assert.Equal((3072, 3072), (features.Width, values.Length));
        var expected = (image.Row(6)[3 * 10] + image.Row(6)[3 * 11] + image.Row(7)[3 * 10] + image.Row(7)[3 * 11]) / (4 * 255.0);
        Assert.Equal(expected, values[3 * ((3 * 32) + 5)], 1e-6);
    }

    private void WriteImages(int count)
    {
        foreach (var kind in (ReadOnlySpan<string>)["a", "b"])
        {
            Directory.CreateDirectory(_folder[$"images/{kind}"]);
            for (var i = 0; i < count; i++)
            {
                var path = _folder[$"images/{kind}/{i}.png"];
                if (!File.Exists(path)) File.WriteAllBytes(path, EncodedImages.Png(EncodedImages.Picture(20, 18, i)));
            }
        }
    }
}
