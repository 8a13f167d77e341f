using System.Text;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Evaluation.Embeddings.Writers;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.Evaluation.Embeddings;

/// <summary>Files of embeddings read back: what was written, or one sentence.</summary>
public sealed class StoredEmbeddingsTests : IDisposable
{
    private const int Images = 40, Width = 5;

    private static readonly Dictionary<string, string> Facts = new() { ["weights"] = "abc", ["pool"] = "mean" };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("npy")]
    [InlineData("safetensors")]
    [InlineData("csv")]
    [InlineData("parquet")]
    public void Embeddings_WrittenAndRead_AreTheSame(string ending)
    {
        var values = Write("e." + ending, null);
        var read = StoredEmbeddings.Read(_folder["e." + ending]);
        Assert.Equal((Images, Width), (read.Features.Rows, read.Features.Width));
        Assert.Equal(values, read.Features.Values.ToArray());
        Assert.Equal(Enumerable.Range(0, Images).Select(NameOf), read.Names);
        Assert.Equal(Enumerable.Range(0, Images).Select(ClassOf), read.Classes);
        Assert.Equal(ending is "parquet" or "safetensors" ? "abc" : null, read.Facts.GetValueOrDefault("weights"));
    }

    [Theory]
    [InlineData("npy")]
    [InlineData("safetensors")]
    [InlineData("csv")]
    [InlineData("parquet")]
    public void Embeddings_OfPatches_AreRefused(string ending)
    {
        Write("p." + ending, 3);
        Assert.Contains("a vector for each patch", Refused("p." + ending), StringComparison.Ordinal);
    }

    /// <summary>Cut at many places, and with every byte of the head turned: never anything but a sentence, or the same numbers.</summary>
    [Theory]
    [InlineData("npy")]
    [InlineData("safetensors")]
    [InlineData("csv")]
    [InlineData("parquet")]
    public void Embeddings_CutShortOrDamaged_AreRefusedInASentence(string ending)
    {
        Write("e." + ending, null);
        var (path, whole) = (_folder["e." + ending], File.ReadAllBytes(_folder["e." + ending]));
        for (var length = 0; length < whole.Length - 2; length += 1 + (whole.Length / 60))
        {
            File.WriteAllBytes(path, whole[..length]);
            if (ending == "csv" && Encoding.UTF8.GetString(whole[..length]).EndsWith('\n')) continue; // a whole line: nothing tells
            Assert.True(Read(path) is { } said && said.EndsWith('.'), $"{ending} cut to {length} was read");
        }

        for (var at = 0; at < whole.Length; at += 1 + (whole.Length / 100))
        {
            byte[] turned = [.. whole];
            turned[at] ^= 0x55;
            File.WriteAllBytes(path, turned);
            _ = Read(path);
        }
    }

    [Fact]
    public void Embeddings_ThatAreNot_AreRefusedWithWhatToDo()
    {
        Assert.Contains("does not exist", Refused("none.npy"), StringComparison.Ordinal);
        Assert.Contains("is a folder", Refused("."), StringComparison.Ordinal);
        Assert.Contains("no format for embeddings", Refused("x.txt"), StringComparison.Ordinal);
        Write("e.npy", null);
        File.WriteAllText(_folder["f.npy.partial"], "");
        Assert.Contains("is not finished", Refused("f.npy"), StringComparison.Ordinal);
        var index = File.ReadAllText(_folder["e.index.csv"]);
        File.WriteAllText(_folder["e.index.csv"], index[..index.LastIndexOf("39,", StringComparison.Ordinal)]);
        Assert.Contains("they do not belong together", Refused("e.npy"), StringComparison.Ordinal);
        File.WriteAllText(_folder["e.index.csv"], index.Replace("\n7,", "\n8,", StringComparison.Ordinal));
        Assert.Contains("is not of row 7", Refused("e.npy"), StringComparison.Ordinal);
        File.WriteAllText(_folder["e.index.csv"], "name\n");
        Assert.Contains("does not begin with row,name,label,class", Refused("e.npy"), StringComparison.Ordinal);
        File.Delete(_folder["e.index.csv"]);
        Assert.Contains("which names its rows", Refused("e.npy"), StringComparison.Ordinal);
        File.WriteAllText(_folder["s.csv"], "query,rank,image,similarity\n");
        Assert.Contains("does not begin with name,label,class,f0", Refused("s.csv"), StringComparison.Ordinal);
        File.WriteAllText(_folder["n.csv"], "name,label,class,f0\na,,,1\nb,,,NaN\n");
        Assert.Contains("expected finite numbers", Refused("n.csv"), StringComparison.Ordinal);
        const string Doubles = "\u0093NUMPY\u0001\u0000\u0046\u0000{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
        File.WriteAllText(_folder["d.npy"], Doubles.PadRight(80), Encoding.Latin1);
        Assert.Contains("not float32 row by row but '<f8'", Refused("d.npy"), StringComparison.Ordinal);
    }

    [Fact]
    public void Files_OfOtherEncoders_AreNotCompared()
    {
        Write("a.parquet", null);
        Write("b.parquet", null, new Dictionary<string, string> { ["weights"] = "abd", ["pool"] = "mean" });
        Write("c.csv", null);
        var (a, b, c) = (StoredEmbeddings.Read(_folder["a.parquet"]), StoredEmbeddings.Read(_folder["b.parquet"]),
            StoredEmbeddings.Read(_folder["c.csv"]));
        Assert.Contains("differ in weights", Assert.Throws<JepaException>(() => a.RequireComparable(b)).Message, StringComparison.Ordinal);
        Assert.False(a.RequireComparable(c)); // it does not say
    }

    [Fact]
    public void Images_OfAFile_AreFoundByTheirNames()
    {
        Write("e.parquet", null);
        var stored = StoredEmbeddings.Read(_folder["e.parquet"]);
        Directory.CreateDirectory(_folder["set/a"]);
        File.WriteAllBytes(_folder["set/a/4.png"], EncodedImages.Png(EncodedImages.Noise(8, 6, 1)));
        File.WriteAllBytes(_folder["set/a/other.png"], EncodedImages.Png(EncodedImages.Noise(8, 6, 2)));
        using var images = new EmbeddedImages(stored, ImageSources.Open(_folder["set"]));
        Assert.Equal((Images, 1), (images.Count, images.Found));
        Assert.True(images.Has(4) && !images.Has(5));
        using (var image = images.Open(4)) Assert.Equal((8, 6), (image.Width, image.Height));
        Assert.Equal(_folder["set/a/4.png"], images.PathOf(4));
        Assert.Throws<ImageUnreadableException>(() => images.Open(5));
        Assert.Equal("one, \"two\"", Assert.Single(images.Classes));
        Assert.Equal((0, null), (images.LabelOf(1), images.LabelOf(0)));
        using var alone = new EmbeddedImages(stored with { Names = [.. stored.Names.Select(name => _folder["set/" + name])] }, null);
        Assert.Equal(1, alone.Found);
        using (var image = alone.Open(4)) Assert.Equal(8, image.Width);
    }

    private static string NameOf(int row) => row == 3 ? "a/with, comma and \"quotes\".png" : $"a/{row}.png";

    private static string? ClassOf(int row) => row % 2 == 0 ? null : "one, \"two\"";

    private float[] Write(string name, int? patches, Dictionary<string, string>? facts = null)
    {
        var layout = new EmbeddingLayout(patches, Width);
        float[] values = [.. Synthetic.Noise(Images * layout.Vectors, Width, 1).Values];
        var paths = EmbeddingPaths.Of(_folder[name]);
        EmbeddedImage[] images = [.. Enumerable.Range(0, Images).Select(
            row => new EmbeddedImage(NameOf(row), ClassOf(row) is null ? null : 0, ClassOf(row)))];
        using (var writer = EmbeddingWriter.Open(paths.Output, paths.Format, layout, Images, facts ?? Facts, 0))
        {
            writer.Write(values.AsMemory(0, 15 * layout.Numbers), images[..15]);
            writer.Flush();
            writer.Write(values.AsMemory(15 * layout.Numbers), images[15..]);
            writer.Finish(Images);
        }

        if (paths.Index is null) return values;
        using var index = new IndexCsv(paths.Index, 0, 0);
        index.Write(images);
        index.Flush();
        return values;
    }

    private string Refused(string name) => Assert.Throws<JepaException>(() => StoredEmbeddings.Read(_folder[name])).Message;

    private static string? Read(string path)
    {
        try
        {
            _ = StoredEmbeddings.Read(path);
            return null;
        }
        catch (JepaException e)
        {
            return e.Message;
        }
    }
}
