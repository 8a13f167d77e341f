using System.Formats.Tar;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Features;
using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.Evaluation.Features;

/// <summary>Features that are kept are of the images as they were: whoever replaces a file, wherever it lies, gets new ones.</summary>
public sealed class DataFingerprintTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DataFingerprintTests() => Directory.CreateDirectory(_folder["images"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Image_OfAListThatLiesInAnotherFolder_IsNoticedWhenItIsReplaced()
    {
        Directory.CreateDirectory(_folder["lists"]);
        File.WriteAllText(_folder["lists/l.csv"], "path\na.png\nb.png\n");
        foreach (var name in new[] { "a.png", "b.png" }) Write(name, 1);
        RequireNotice($"{_folder["lists/l.csv"]}#images={_folder["images"]}", () => Write("b.png", 5));
    }

    [Fact]
    public void Shard_OfAPattern_IsNoticedWhenItIsReplaced()
    {
        Shard(1);
        RequireNotice(_folder["set-{0..0}.tar"], () => Shard(5));
    }

    private static void RequireNotice(string address, Action replace)
    {
        var before = Of(address);
        Assert.Equal(before, Of(address));
        replace();
        Assert.NotEqual(before, Of(address));
    }

    private static string Of(string address)
    {
        using var source = ImageSources.Open(address);
        return DataFingerprint.Of(address, source);
    }

    // Of one length whatever the picture, so that only the time tells.
    private void Write(string name, int kind)
    {
        var png = EncodedImages.Png(EncodedImages.Picture(16, 16, kind));
        Array.Resize(ref png, 4096);
        File.WriteAllBytes(Path.Combine(_folder["images"], name), png);
        File.SetLastWriteTimeUtc(Path.Combine(_folder["images"], name), DateTime.UnixEpoch.AddHours(kind));
    }

    private void Shard(int kind)
    {
        Write("a.png", kind);
        using (var tar = new TarWriter(File.Create(_folder["set-0.tar"]))) tar.WriteEntry(Path.Combine(_folder["images"], "a.png"), "a.png");
        File.SetLastWriteTimeUtc(_folder["set-0.tar"], DateTime.UnixEpoch.AddHours(kind));
    }
}
