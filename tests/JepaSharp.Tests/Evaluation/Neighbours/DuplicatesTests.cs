using JepaSharp.Data;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Features;
using JepaSharp.Evaluation.Neighbours;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.Evaluation.Neighbours;

/// <summary>Planted duplicates are found, nothing else is, and the right one of each group is kept.</summary>
public sealed class DuplicatesTests : IDisposable
{
    private static readonly EvaluationTransform Transform = EvaluationTransform.Squash(32);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Duplicates_ThatWerePlanted_AreFoundAndNothingElse()
    {
        for (var i = 0; i < 40; i++) Write($"p{i:00}.png", EncodedImages.Png(Photo(i)));
        Write("copy.png", EncodedImages.Png(Photo(7)));             // the same bytes under another name
        Write("saved-again.webp", EncodedImages.WebP(Photo(9)));   // other bytes, perhaps other pixels
        Write("smaller.jpg", EncodedImages.Jpeg(Resized(Photo(11), 60, 45), 70));
        Write("larger.png", EncodedImages.Png(Resized(Photo(13), 160, 120)));
        using var images = new ImageFolder(_folder.Path);
        var groups = Find(images, out _);
        string[][] names = [.. groups.Select(group => group.Images.Select(image => images.NameOf(image.Row)).ToArray()).OrderBy(g => g[0])];
        Assert.Equal([["copy.png", "p07.png"], ["larger.png", "p13.png"], ["p09.png", "saved-again.webp"], ["p11.png", "smaller.jpg"]],
            names.Select(n => n.Length == 2 && n[0] == "saved-again.webp" ? [n[1], n[0]] : n).OrderBy(n => n[0], StringComparer.Ordinal));
        var exact = groups.Single(group => images.NameOf(group.Images[0].Row) == "copy.png");
        Assert.True(exact.Images[1].IsExact);
        Assert.Equal(exact.Images[0].Pixels, exact.Images[1].Pixels);
        Assert.False(groups.Single(group => images.NameOf(group.Images[0].Row) == "larger.png").Images[1].IsExact);
        Assert.Equal(160, groups.Single(group => images.NameOf(group.Images[0].Row) == "larger.png").Images[0].Width);
    }

    [Fact]
    public void Group_OfThreeOfWhichTheOuterOnesDiffer_IsOnlyWhatIsLikeTheKeptOne()
    {
        for (var i = 0; i < 40; i++) Write($"p{i:00}.png", EncodedImages.Png(Photo(i)));
        var equal = Photo(3);
        foreach (var name in (string[])["b.png", "a.png"]) Write(name, EncodedImages.Png(equal));
        using var images = new ImageFolder(_folder.Path);
        var group = Assert.Single(Find(images, out var threshold));
        Assert.Equal(["a.png", "b.png", "p03.png"], group.Images.Select(image => images.NameOf(image.Row))); // equal size and bytes: the first name
        Assert.Equal([false, true, true], group.Images.Select(image => image.IsExact));
        Assert.All(group.Images, image => Assert.True(image.Cosine >= threshold.Cosine));
    }

    [Fact]
    public void Threshold_ThatTellsNothingApart_IsRefused()
    {
        var features = Synthetic.Noise(3300, 3, 1);
        using var search = NeighbourSearch.Over(UnitVectors.Of(features), cancellation: TestContext.Current.CancellationToken);
        using var source = LooseImages.Encoded(EncodedImages.Png(Photo(1)));
        var mistake = Assert.Throws<JepaException>(() => Duplicates.Find(
            search, source, [.. Enumerable.Range(0, 3300)], features, new DuplicateThreshold(-1, -1, 0),
            cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("tells nothing apart", mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Signature_OfABrighterPicture_IsTheSame()
    {
        var (dark, bright) = (Photo(2), Photo(2));
        for (var i = 0; i < dark.Pixels.Length; i++)
            (dark.Pixels[i], bright.Pixels[i]) = ((byte)(dark.Pixels[i] / 2), (byte)((dark.Pixels[i] / 2) + 60));
        var signature = new PictureSignature();
        FeatureMatrix Of(params RgbImage[] pictures) => new(pictures.Length, signature.Width, signature.Of(
            new ImageBatch(pictures.Length, 90, 120, [.. pictures.SelectMany(p => p.Pixels)], [0, 1])));
        var both = Of(dark, bright);
        Assert.Equal(1, PictureSignature.Correlation(both, 0, both, 1), 1e-3);
        var others = Of(dark, Photo(5));
        Assert.InRange(PictureSignature.Correlation(others, 0, others, 1), -1, 0.9);
    }

    private static IReadOnlyList<DuplicateGroup> Find(ImageFolder images, out DuplicateThreshold threshold)
    {
        // Pixels stand for an encoder here.
        var kind = new PixelFeatures(32);
        var features = FrozenFeatures.Extract([kind, new PictureSignature()], images, Transform, cancellation: TestContext.Current.CancellationToken);
        var vectors = UnitVectors.Of(features[0].Matrix);
        using var search = NeighbourSearch.Over(vectors);
        threshold = DuplicateThreshold.Measure(kind, images, Transform, features[0].Indices, vectors, features[1].Matrix,
            cancellation: TestContext.Current.CancellationToken);
        Assert.InRange(threshold.Cosine, 0.5, 1);
        return Duplicates.Find(search, images, features[0].Indices, features[1].Matrix, threshold,
            cancellation: TestContext.Current.CancellationToken);
    }

    private void Write(string name, byte[] content) => File.WriteAllBytes(_folder[name], content);

    /// <summary>Smooth blobs of colour, other ones for every number.</summary>
    private static RgbImage Photo(int number) => Resized(EncodedImages.Noise(5, 4, (ulong)number + 100), 120, 90);

    private static RgbImage Resized(RgbImage image, int width, int height)
    {
        var resized = new RgbImage(width, height);
        new CropSampler().Sample(
            image, CropGeometry.Of(PixelBox.Whole(image.Width, image.Height), width, height, ResampleFilter.Bilinear), resized.Pixels);
        return resized;
    }
}
