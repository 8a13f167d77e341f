using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using CsCheck;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources.Shards;

public sealed class TarShardsTests : IDisposable
{
    private static readonly byte[][] Images = [.. Enumerable.Range(0, 8).Select(i => EncodedImages.Png(EncodedImages.Picture(9 + i, 7, i)))];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Shards_LabelsInClsAndJson_GoToTheImagesOfTheirSample()
    {
        Write("a.tar", ("0.jpg", Images[0]), ("0.cls", "10"u8.ToArray()), ("1.json", """{"label": 9, "n": "x"}"""u8.ToArray()), ("1.png", Images[1]),
            ("2.PNG", Images[2]), ("3.txt", "no"u8.ToArray()));
        using var shards = ImageSources.Open(_folder["a.tar"]);
        Assert.Equal(["0.jpg", "1.png", "2.PNG"], shards.Names());
        Assert.Equal(["9", "10"], shards.Classes);
        Assert.Equal(["10", "9", null], shards.ClassNames());
        Assert.Equal(Pixels(1), shards.Pixels(1));
        using var other = ImageSources.Open(_folder["a.tar"] + "#label=n");
        Assert.Equal([null, "x", null], other.ClassNames());
    }

    [Fact]
    public void Shards_StemAsWebDatasetHasIt_EndsAtTheFirstDotOfTheLastPart()
    {
        Write("a.tar", ("v1.0/x.left.png", Images[0]), ("v1.0/x.right.png", Images[1]), ("v1.0/x.cls", "dog"u8.ToArray()), ("v1.0/y.png", Images[2]));
        using var shards = ImageSources.Open(_folder["a.tar"]);
        Assert.Equal(["dog", "dog", null], shards.ClassNames());
    }

    [Fact]
    public void Shards_NamesWithDots_GiveEachImageTheLabelOfItsOwnName()
    {
        Write("a.tar",
            ("c.1.png", Images[0]), ("c.1.cls", "a"u8.ToArray()), ("c.2.png", Images[1]), ("c.3.left.png", Images[2]), ("c.3.right.png", Images[3]),
            ("c.3.cls", "b"u8.ToArray()),
            ("c.4.cls", "of none"u8.ToArray()), ("d.1.png", Images[4]), ("d.2.cls", "not mine"u8.ToArray()), ("e.png", Images[5]),
            ("e.kind.cls", "c"u8.ToArray()));
        using var shards = ImageSources.Open(_folder["a.tar"]);
        Assert.Equal(["a", null, "b", "b", null, "c"], shards.ClassNames());
        Assert.Contains(shards.Notices, n => n.Contains("4 images share their name up to the first dot", StringComparison.Ordinal));
        Assert.Contains(shards.Notices, n => n.StartsWith("2 files of labels are of no image", StringComparison.Ordinal));
    }

    [Fact]
    public void Shards_LabelsThatDisagreeOrAreUnclear_AreSaid()
    {
        Write("a.tar",
            ("0.png", Images[0]), ("0.cls", "3"u8.ToArray()), ("0.json", """{"label": "dog"}"""u8.ToArray()), ("1.png", Images[1]),
            ("1.cls", "a"u8.ToArray()), ("1.cls", "b"u8.ToArray()),
            ("2.cls", "x"u8.ToArray()), ("2.txt", "y"u8.ToArray()));
        using var shards = ImageSources.Open(_folder["a.tar"]);
        Assert.Equal(["3", null], shards.ClassNames());
        foreach (var said in (string[])["1 image has one label in a .cls and another in a .json", "1 image has several labels",
            "1 file of labels is of no image", "1 file neither image nor label (.txt)"])
            Assert.Contains(shards.Notices, n => n.Contains(said, StringComparison.Ordinal));
    }

    [Fact]
    public void Shards_MembersOfASampleApartFromEachOther_AreOneSample() =>
        Gen.Select(Gen.Int[1, 12], Gen.Int[1, 3], Gen.UInt).Sample((count, depth, seed) =>
        {
            var samples = Enumerable.Range(0, count)
                .Select(i => (Name: $"d/cam{i % 2}{string.Concat(Enumerable.Repeat(".x", depth - 1))}.{i:d3}", Image: i % 8,
                    Label: $"c{i % 5}")).ToArray();
            (string, byte[])[] members = [.. samples.SelectMany(
                s => new (string, byte[])[] { (s.Name + ".png", Images[s.Image]), (s.Name + ".cls", Encoding.UTF8.GetBytes(s.Label)) })];
            new RandomStream(seed, RandomPurpose.Evaluation).Shuffle(members.AsSpan());
            Write("m.tar", members);
            using var shards = ImageSources.Open(_folder["m.tar"]);
            var labels = shards.ClassNames();
            return shards.Count == count && Enumerable.Range(0, count).All(i =>
            {
                var sample = samples.Single(s => s.Name + ".png" == shards.NameOf(i));
                return labels[i] == sample.Label && shards.Pixels(i).SequenceEqual(Pixels(sample.Image));
            });
        }, iter: 60, threads: 1);

    [Fact]
    public void Shards_DuplicateStems_AreKeptApartAndSaid()
    {
        Write("a.tar", ("0.png", Images[0]), ("0.cls", "a"u8.ToArray()), ("1.png", Images[1]), ("0.png", Images[2]), ("0.cls", "b"u8.ToArray()));
        using var shards = ImageSources.Open(_folder["a.tar"]);
        Assert.Equal(["0.png", "1.png", "0.png (2)"], shards.Names());
        Assert.Equal(["a", null, "b"], shards.ClassNames());
        Assert.Equal(Pixels(2), shards.Pixels(2));
        Assert.Contains(shards.Notices, n => n.Contains("1 image has the name", StringComparison.Ordinal));
    }

    [Fact]
    public void Shards_FolderAndPattern_AreTheSameInOrder()
    {
        for (var s = 0; s < 3; s++) Write($"s-{s:d3}.tar", ("x.png", Images[s]), ("y.png", Images[s + 3]));
        using var folder = ImageSources.Open(_folder.Path);
        using var pattern = ImageSources.Open(_folder["s-{000..002}.tar"]);
        Assert.Equal(
            ["s-000.tar/x.png", "s-000.tar/y.png", "s-001.tar/x.png", "s-001.tar/y.png", "s-002.tar/x.png", "s-002.tar/y.png"], folder.Names());
        Assert.Equal(folder.Names(), pattern.Names());
        Assert.Equal(Pixels(4), pattern.Pixels(3));
        var refusal = Assert.Throws<JepaException>(() => ImageSources.Open(_folder["s-{000..004}.tar"])).Message;
        Assert.Contains("2 of the 5 shards", refusal, StringComparison.Ordinal);
        Assert.Contains("s-003.tar", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Shards_AnyMembers_KeepOrderLabelsAndPixels() =>
        Gen.Select(Gen.Int[0, 7], Gen.Int[0, 3], Gen.Bool).Array[1, 20].Sample(samples =>
        {
            Write("p.tar", [.. samples.SelectMany(((int Image, int Label, bool First) s, int i) =>
            {
                (string, byte[]) image = ($"d/{i}.png", Images[s.Image]), label = ($"d/{i}.cls", Encoding.UTF8.GetBytes($"c{s.Label}"));
                return s.First ? new[] { image, label } : [label, image];
            })]);
            using var shards = ImageSources.Open(_folder["p.tar"]);
            return shards.ClassNames().SequenceEqual(samples.Select(s => $"c{s.Item2}"))
                && Enumerable.Range(0, samples.Length).All(
                    i => shards.NameOf(i) == $"d/{i}.png" && shards.Pixels(i).SequenceEqual(Pixels(samples[i].Item1)));
        }, iter: 30, threads: 1);

    [Fact]
    public void Shard_CutShort_GivesWhatIsThereAndSaysSo()
    {
        var whole = Write("a.tar", ("0.png", Images[0]), ("1.png", Images[1]));
        var second = whole.AsSpan().LastIndexOf("1.png"u8);
        File.WriteAllBytes(_folder["a.tar"], whole[..(second + 512 + 20)]);
        using var shards = ImageSources.Open(_folder["a.tar"]);
        Assert.Equal(2, shards.Count);
        Assert.Equal(Pixels(0), shards.Pixels(0));
        Assert.Contains("cut short", Assert.Throws<ImageUnreadableException>(() => shards.Open(1)).Reason, StringComparison.Ordinal);
        Assert.Contains("cut short in 1.png", Assert.Single(shards.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Shard_CutShortInALabel_GivesNoLabelRatherThanHalfOfOne()
    {
        var whole = Write("a.tar", ("0.png", Images[0]), ("0.cls", "a"u8.ToArray()), ("1.png", Images[1]), ("1.cls", "marmoset"u8.ToArray()));
        var label = whole.AsSpan().LastIndexOf("1.cls"u8);
        File.WriteAllBytes(_folder["a.tar"], whole[..(label + 512 + 3)]);
        using var shards = ImageSources.Open(_folder["a.tar"]);
        Assert.Equal(["a", null], shards.ClassNames());
        Assert.Contains(shards.Notices, n => n.Contains("cut short in 1.cls", StringComparison.Ordinal));
    }

    [Fact]
    public void Shard_VanishedOrCutWhileRunning_IsUnreadable()
    {
        var whole = Write("a.tar", ("0.png", Images[0]), ("1.png", Images[1]));
        using var shards = ImageSources.Open(_folder["a.tar"]);
        File.WriteAllBytes(_folder["a.tar"], whole[..600]);
        Assert.Throws<ImageUnreadableException>(() => shards.Open(1));
        File.WriteAllBytes(_folder["a.tar"], whole);
        using var again = ImageSources.Open(_folder["a.tar"]);
        File.Delete(_folder["a.tar"]);
        Assert.Throws<ImageUnreadableException>(() => again.Open(0));
    }

    [Fact]
    public void Shard_Compressed_IsRefusedWithAdvice()
    {
        var whole = Write("a.tar", ("0.png", Images[0]));
        foreach (var name in (string[])["a.tar.gz", "b.tar"])
        {
            using (var gzip = new GZipStream(File.Create(_folder[name]), CompressionLevel.Fastest)) gzip.Write(whole);
            Assert.Contains("gunzip", Assert.Throws<JepaException>(() => ImageSources.Open(_folder[name])).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Shard_WithLongAndForeignNames_IsRead()
    {
        var name = string.Concat(Enumerable.Repeat("ünïcode/", 40)) + "日本.png";
        Write("a.tar", (name, Images[0]), ("日本.cls", [0xff]));
        using var shards = ImageSources.Open(_folder["a.tar"]);
        Assert.Equal(name, shards.NameOf(0));
        Assert.Equal(Pixels(0), shards.Pixels(0));
    }

    [Fact]
    public void Shard_OfBytes_IsReadOrRefused() =>
        SourceContents.AssertReadOrRefused(
            Write("a.tar", ("0.png", Images[0]), ("0.cls", "1"u8.ToArray()), ("1.json", "{\"label\": 2}"u8.ToArray()), ("1.png", Images[1])),
            _folder["h.tar"], ImageSources.Open, trials: 200);

    [Theory]
    [InlineData("s-{5..1}.tar")]
    [InlineData("s-{0..99999999999}.tar")]
    public void Pattern_ThatIsNone_IsRefused(string pattern) =>
        Assert.Contains("no range", Assert.Throws<JepaException>(() => ImageSources.Open(pattern)).Message, StringComparison.Ordinal);

    private static byte[] Pixels(int image) => EncodedImages.Picture(9 + image, 7, image).Pixels;

    private byte[] Write(string name, params (string Name, byte[] Bytes)[] members)
    {
        using (var writer = new TarWriter(File.Create(_folder[name])))
            foreach (var member in members)
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, member.Name) { DataStream = new MemoryStream(member.Bytes) });
        return File.ReadAllBytes(_folder[name]);
    }
}
