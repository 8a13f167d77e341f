using JepaSharp.Data.Sources;
using JepaSharp.Tests.Data;
using JepaSharp.Training.Checkpoints;

namespace JepaSharp.Tests.Training.Checkpoints;

public sealed class ImagesSeenTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(5)]
    [InlineData(200)]
    public void Images_CopiedElsewhereAndTouched_AreTheSame(int count)
    {
        Make("a", count);
        Make("b", count);
        foreach (var file in Directory.GetFiles(_folder["b"])) File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch);
        Assert.Null(Difference("a", "b"));
    }

    [Fact]
    public void Images_OfTheSameNames_AreOthersWhereOneHoldsSomethingElse()
    {
        Make("a", 5);
        Make("b", 5);
        File.WriteAllBytes(Path.Combine(_folder["b"], "003.png"), EncodedImages.Png(EncodedImages.Picture(8, 8, kind: 3)));
        Assert.Equal("1 of 5 looked into hold something else, the first 003.png", Difference("a", "b"));
    }

    [Fact]
    public void Images_OfOtherNames_AreOthers()
    {
        Make("a", 5);
        Make("b", 5);
        File.Move(Path.Combine(_folder["b"], "004.png"), Path.Combine(_folder["b"], "005.png"));
        Assert.Equal("they have other names", Difference("a", "b"));
    }

    [Fact]
    public void Image_ThatCannotBeReadOnce_IsNoOtherImage()
    {
        Make("a", 5);
        Make("b", 5);
        File.WriteAllBytes(Path.Combine(_folder["b"], "003.png"), []);
        Assert.Null(Difference("a", "b"));
        Assert.Null(Difference("b", "a"));
    }

    [Fact]
    public void Half_OfManyImages_IsNoticed()
    {
        Make("a", 200);
        Make("b", 200);
        for (var i = 100; i < 200; i++)
            File.WriteAllBytes(Path.Combine(_folder["b"], $"{i:D3}.png"), EncodedImages.Png(EncodedImages.Picture(8, 8, kind: 3)));
        Assert.StartsWith("32 of 64 looked into", Difference("a", "b"), StringComparison.Ordinal);
    }

    private string? Difference(string before, string after)
    {
        using var then = ImageSources.Open(_folder[before]);
        using var now = ImageSources.Open(_folder[after]);
        return ImagesSeen.Of(then).DifferenceTo(ImagesSeen.Of(now), now);
    }

    private void Make(string name, int count)
    {
        Directory.CreateDirectory(_folder[name]);
        for (var i = 0; i < count; i++)
            File.WriteAllBytes(Path.Combine(_folder[name], $"{i:D3}.png"), EncodedImages.Png(EncodedImages.Picture(8, 8)));
    }
}
