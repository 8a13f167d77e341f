using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Decoding;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Loading;

public sealed class LoaderMemoryTests : IDisposable
{
    private const int Megabytes = LoaderMemory.LeastMegabytes;

    private static readonly ImageLoaderOptions Options = new()
    {
        BatchSize = 4,
        Threads = 2,
        MemoryMegabytes = Megabytes,
        Views = [new View("image", new TrainingTransform { CropSize = 32, Crop = new RandomResizedCrop { MinScale = 0.9 } })],
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Loader_LargeImages_AreDecodedOneAtATimeAndSmallOnesBesideThem(int threads)
    {
        var source = new MeasuredImages(64);
        var batches = new ImageLoader(source, Options with { Threads = threads }).Epoch(0, 0, TestContext.Current.CancellationToken).Count();
        Assert.Equal(16, batches);
        Assert.Equal(1, source.MostLarge);
        Assert.InRange(source.MostBytes, MeasuredImages.LargeBytes, (Megabytes << 20) * 3 / 4);
    }

    [Fact]
    public void Loader_ImageThatWouldTakeTooMuch_IsReducedWhereItsFormatCanAndRefusedWhereNot()
    {
        // 48 MB of decoded pixels; half of 64 may be used for one image. JPEG and PNG are decoded by rows, unless they are progressive or turned.
        var image = EncodedImages.Picture(4000, 3000);
        foreach (var (name, suffix) in new[] { ("a.jpg", ".jpg"), ("b.jpg", ".jpg[subsample_mode=off]"), ("c.png", ".png[compression=1]"),
            ("d.jpg", ".jpg[interlace,subsample_mode=off]"), ("e.tif", ".tif"), ("f.webp", ".webp[effort=0]") })
            File.WriteAllBytes(_folder[name], EncodedImages.ByVips(image, suffix));
        File.WriteAllBytes(_folder["g.jpg"], EncodedImages.WithOrientation(File.ReadAllBytes(_folder["a.jpg"]), 6));
        using var source = ImageSources.Open(_folder.Path);
        var loader = new ImageLoader(source, Options with { BatchSize = 4, Views = With(t => t with { AllowScaledDecoding = false }) });
        var batch = loader.Epoch(0, 0, TestContext.Current.CancellationToken).First();
        Assert.All(batch.Indices, i => Assert.Contains(source.NameOf(i), (string[])["a.jpg", "b.jpg", "c.png", "g.jpg"]));
        Assert.All(loader.Unreadable, u => Assert.Contains("data.memory_mb", u.Reason, StringComparison.Ordinal));

        // With room enough all are read.
        var roomy = new ImageLoader(source, Options with { BatchSize = 7, MemoryMegabytes = 1024 });
        Assert.Equal(7, roomy.Epoch(0, 0, TestContext.Current.CancellationToken).Single().Indices.Distinct().Count());
        Assert.Empty(roomy.Unreadable);
    }

    [Theory]
    [InlineData("b.jpg", 3)]
    [InlineData("c.jpg", 6)]
    [InlineData("d.jpg", 8)]
    public void Sample_ReducedToFit_LooksLikeTheFullDecode(string name, int orientation)
    {
        var jpeg = EncodedImages.ByVips(EncodedImages.Picture(4001, 3003), ".jpg");
        using var full = ImageDecoder.Open(EncodedImages.WithOrientation(jpeg, orientation), name);
        using var bounded = ImageDecoder.Open(EncodedImages.WithOrientation(jpeg, orientation), name);
        var geometry = CropGeometry.Of(new PixelBox(300, 200, full.Width - 400, full.Height - 500), 96, 96, ResampleFilter.Bilinear);
        byte[] expected = new byte[3 * 96 * 96], found = new byte[3 * 96 * 96];
        new CropSampler().Sample(full, geometry, allowScaling: false, expected);
        using var room = new DecodingRoom(new DecodingMemory(4 << 20, 20 << 20));
        bounded.Room = room;
        new CropSampler().Sample(bounded, geometry, allowScaling: false, found);
        Assert.NotEqual(expected, found);
        Assert.InRange(expected.Zip(found, (a, b) => Math.Abs(a - b)).Average(), 0, 1.0);
    }

    [Fact]
    public void Loader_FileLargerThanAnImageMayTake_IsRefusedUnread()
    {
        using (var file = File.Create(_folder["huge.jpg"])) file.SetLength((Megabytes / 2 << 20) + 1);
        for (var i = 0; i < 4; i++) File.WriteAllBytes(_folder[$"{i}.jpg"], EncodedImages.Jpeg(EncodedImages.Picture(40, 30)));
        using var source = ImageSources.Open(_folder.Path);
        var reader = new ImageReader(source, EvaluationTransform.Squash(16), memoryMegabytes: Megabytes);
        Assert.Equal([0, 1, 2, 3], reader.Read(TestContext.Current.CancellationToken).SelectMany(b => b.Indices));
        Assert.Contains("the file has 33 MB; one image may take 32", Assert.Single(reader.Unreadable).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 100, 4)] // 12 MB a batch: all that were asked for
    [InlineData(9, 100, 9)]
    [InlineData(40, 100, 39)] // 40 fit into a quarter, and one is handed out
    public void Depth_OfBatchesThatFit_IsAtMostWhatWasAskedFor(int asked, int batchSize, int expected) =>
        Assert.Equal(expected, new LoaderMemory(2048, 2).DepthFor(new BatchShape(10_000, batchSize, 211, DropsLast: true), asked));

    [Fact]
    public void Loader_BatchesThatDoNotFit_SaysWhichSettingWould()
    {
        using var source = new MeasuredImages(4000);
        ImageLoader Loader(int memory) =>
            new(source, Options with { BatchSize = 200, MemoryMegabytes = memory, Views = With(t => t with { CropSize = 224 }) });
        var refusal = Assert.Throws<JepaException>(() => Loader(Megabytes));
        Assert.True(refusal.IsUsage);
        Assert.Contains("data.memory_mb at least 230", refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(Loader(230));
    }

    /// <summary>Every fourth image takes 9 MB while it is decoded, the others a little; counts what is in use at a time.</summary>
    private sealed class MeasuredImages(int count) : ImageSource
    {
        public const int LargeBytes = 3 * 2000 * 1500;

        private readonly Lock _gate = new();
        private int _large, _bytes;

        public int MostLarge { get; private set; }

        public int MostBytes { get; private set; }

        public override int Count => count;

        public override string Description => "measured images";

        public override string NameOf(int index) => $"image {index}";

        public override OpenedImage Open(int index) => new Measured(this, index % 4 == 0);

        private void Use(bool isLarge, int bytes)
        {
            lock (_gate)
            {
                _large += isLarge ? Math.Sign(bytes) : 0;
                _bytes += bytes;
                (MostLarge, MostBytes) = (Math.Max(MostLarge, _large), Math.Max(MostBytes, _bytes));
            }
        }

        private sealed class Measured(MeasuredImages source, bool isLarge) : OpenedImage
        {
            public override int Width => isLarge ? 2000 : 200;

            public override int Height => isLarge ? 1500 : 150;

            public override RgbImage Decode()
            {
                var image = new RgbImage(Width, Height);
                source.Use(isLarge, image.Pixels.Length);
                Thread.Sleep(isLarge ? 10 : 1);
                source.Use(isLarge, -image.Pixels.Length);
                return image;
            }
        }
    }

    private static View[] With(Func<TrainingTransform, TrainingTransform> change) =>
        [Options.Views[0] with { Transform = change(Options.Views[0].Transform) }];
}
