using System.Text.Json;
using CsCheck;
using JepaSharp.Data.Sources;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Data.Sources.Columnar;

/// <summary>A row's image and label are its own, wherever there are nulls and however the pages are made.</summary>
public sealed class ParquetRowsTests : IDisposable
{
    private const int NoStructure = -2, NoBytes = -1;
    private static readonly byte[][] Images = [.. Enumerable.Range(0, 8).Select(i => EncodedImages.Png(EncodedImages.Picture(5, 4, i)))];

    private static readonly Gen<CraftedPages> AnyPages = Gen.Select(Gen.Int[1, 9].Array[1, 4], Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool,
        (rows, second, dictionary, packed, levels, counts) => new CraftedPages(rows, second, dictionary, packed, levels, counts));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_WithNullsAnywhereInPagesOfAnyKind_KeepTheirImagesAndLabels() =>
        Gen.Select(Gen.Select(Gen.Int[NoStructure, 7], Gen.Int[-1, 5]).Array[1, 24].Array[1, 3], AnyPages,
            Gen.Bool).Sample((groups, pages, isNested) =>
        {
            Write("a.parquet", CraftedParquet.Of(pages, [.. groups.Select(g => Columns(g, isNested ? ["sample"] : []))]));
            using var images = ImageSources.Open(_folder["a.parquet"]);
            return Agree(images, [.. groups.SelectMany(g => g)]);
        }, iter: 400, threads: 1);

    [Fact]
    public void Rows_WhereNothingMayBeNull_KeepTheirImagesAndLabels() =>
        Gen.Select(Gen.Select(Gen.Int[0, 7], Gen.Int[0, 5]).Array[1, 24], AnyPages, Gen.Bool).Sample((rows, pages, isStructureOptional) =>
        {
            CraftedColumn[] columns =
            [
                new(["image", "bytes"], [isStructureOptional, false], 6, [.. rows.Select(_ => isStructureOptional ? 1 : 0)], [.. rows.Select(
                    r => CraftedColumn.Bytes(Images[r.Item1]))]),
                new(["label"], [false], 2, new int[rows.Length], [.. rows.Select(r => CraftedColumn.Whole(r.Item2))]),
            ];
            Write("a.parquet", CraftedParquet.Of(pages, [columns]));
            using var images = ImageSources.Open(_folder["a.parquet"]);
            return Agree(images, rows);
        }, iter: 100, threads: 1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rows_AllWithoutBytes_AreSaidToBePathsAlone(bool hasNullCounts)
    {
        Write("a.parquet", CraftedParquet.Of(
            new([4], false, false, false, false, hasNullCounts), [Columns([.. Enumerable.Repeat((NoBytes, 1), 9)], [])]));
        using var images = ImageSources.Open(_folder["a.parquet"]);
        Assert.Equal(hasNullCounts, images.Notices.Any(n => n.Contains("paths alone", StringComparison.Ordinal)));
        for (var i = 0; i < 9; i++)
            Assert.Contains("no image bytes; a data set stored with paths alone",
                Assert.Throws<ImageUnreadableException>(() => images.Open(i)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_OfNoBytesAtAll_AreEmptyAndNotNull()
    {
        CraftedColumn column = new(["img"], [true], 6, [1, 0], [CraftedColumn.Bytes([])]);
        Write("a.parquet", CraftedParquet.Of(new([4], false, false, false, false, true), [[column]]));
        using var images = ImageSources.Open(_folder["a.parquet"]);
        Assert.Contains("image is empty", Assert.Throws<ImageUnreadableException>(() => images.Open(0)).Reason, StringComparison.Ordinal);
        Assert.Equal("the row has no image bytes.", Assert.Throws<ImageUnreadableException>(() => images.Open(1)).Reason);
    }

    [Fact]
    public void Labels_OfTextWithNulls_AreThoseOfTheirRows()
    {
        CraftedColumn[] columns = [Images8(), new(["label"], [true], 6, [1, 0, 1, 1, 0, 0, 1, 1], [.. new[] { "a", "b", "a", "ü", "b" }
            .Select(CraftedColumn.Text)]) { IsText = true }];
        Write("a.parquet", CraftedParquet.Of(new([3], false, true, false, true, false), [columns]));
        using var images = ImageSources.Open(_folder["a.parquet"]);
        Assert.Equal(["a", null, "b", "a", null, null, "ü", "b"], images.ClassNames());
    }

    [Fact]
    public void Labels_OfLargeNumbers_AreNotRoundedToOneAnother()
    {
        CraftedColumn[] columns = [Images8(), new(
            ["label"], [false], 2, new int[8], [.. Enumerable.Range(0, 8).Select(i => CraftedColumn.Whole(9007199254740992 + (i % 2)))])];
        Write("a.parquet", CraftedParquet.Of(new([8], false, false, false, false, false), [columns]));
        using var images = ImageSources.Open(_folder["a.parquet"]);
        Assert.Equal(2, images.Classes.Count);
        Assert.Equal("9007199254740993", images.ClassNames()[1]);
    }

    [Fact]
    public void Labels_NamedInAnotherOrderInAnotherFile_AreMatchedByName()
    {
        Write("t-0.parquet", Named(["cat", "dog"], 0, 1, -1, 7));
        Write("t-1.parquet", Named(["dog", "eel", "cat"], 0, 1, 2, -1));
        using var images = ImageSources.Open(_folder.Path);
        Assert.Equal(["cat", "dog", "eel"], images.Classes);
        Assert.Equal(["cat", "dog", null, null, "dog", "eel", "cat", null], images.ClassNames());
        Assert.Contains(images.Notices, n => n.Contains("another order", StringComparison.Ordinal));
        Assert.Contains(images.Notices, n => n.StartsWith("1 row has a \"label\" that is none of the", StringComparison.Ordinal));
    }

    [Fact]
    public void TruthValues_StoredAsRuns_AreLeftOutAndSaidOrRefusedAsLabels()
    {
        CraftedColumn truths = new(["flag"], [false], 0, new int[8], [.. Enumerable.Repeat<byte[]>([1], 8)])
        {
            Encoding = (3, values => [3, 0, 0, 0, 16, 1, 0]),
        };
        Write("a.parquet", CraftedParquet.Of(new([8], true, false, false, false, false), [[Images8(), truths]]));
        using (var images = ImageSources.Open(_folder["a.parquet"]))
        {
            Assert.Empty(images.Columns);
            Assert.Contains("\"flag\" are left out", Assert.Single(images.Notices), StringComparison.Ordinal);
        }

        Assert.Contains("write them as whole numbers",
            Assert.Throws<JepaException>(() => ImageSources.Open(_folder["a.parquet"] + "#label=flag")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ColumnsOfImages_Several_TheUsualNameOrTheOneAskedForIsTaken()
    {
        CraftedColumn Column(string name, int first) =>
            new([name, "bytes"], [true, true], 6, [2, 2], [.. Enumerable.Range(first, 2).Select(i => CraftedColumn.Bytes(Images[i]))]);
        Write("a.parquet", CraftedParquet.Of(
            new([8], false, false, false, false, false), [[Column("thumb", 0), Column("Image", 2), Column("mask", 4)]]));
        using (var images = ImageSources.Open(_folder["a.parquet"]))
        {
            Assert.Equal(EncodedImages.Picture(5, 4, 2).Pixels, images.Pixels(0));
            Assert.Contains("3 columns of images", Assert.Single(images.Notices), StringComparison.Ordinal);
        }

        using (var masks = ImageSources.Open(_folder["a.parquet"] + "#image=mask"))
        {
            Assert.Equal(EncodedImages.Picture(5, 4, 5).Pixels, masks.Pixels(1));
            Assert.Empty(masks.Notices);
        }

        Assert.Contains("no column of images \"mak\"",
            Assert.Throws<JepaException>(() => ImageSources.Open(_folder["a.parquet"] + "#image=mak")).Message, StringComparison.Ordinal);
        Write("b.parquet", CraftedParquet.Of(new([8], false, false, false, false, false), [[Column("left", 0), Column("right", 2)]]));
        Assert.Contains("left and right, and none has a usual name",
            Assert.Throws<JepaException>(() => ImageSources.Open(_folder["b.parquet"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_OfWhichSomeAreMissing_AreSaid()
    {
        foreach (var part in (int[])[0, 2]) Write($"train-0000{part}-of-00004.parquet", Named(["a"], 0));
        using var images = ImageSources.Open(_folder.Path);
        Assert.Equal("of the 4 files train-...-of-00004 there are 2: 00001, 00003 are missing.", Assert.Single(images.Notices));
    }

    private static bool Agree(ImageSource images, (int Image, int Label)[] rows)
    {
        var names = images.ClassNames();
        if (images.Count != rows.Length) return false;
        for (var i = 0; i < rows.Length; i++)
        {
            if (names[i] != (rows[i].Label < 0 ? null : $"{rows[i].Label}")) return false;
            if (images.ValueOf(i, "label") != (rows[i].Label < 0 ? null : (double)rows[i].Label)) return false;
            if (rows[i].Image >= 0 && !images.Pixels(i).SequenceEqual(EncodedImages.Picture(5, 4, rows[i].Image).Pixels)) return false;
            if (rows[i].Image < 0
                && !Assert.Throws<ImageUnreadableException>(() => images.Open(i)).Reason.StartsWith("the row has no image bytes",
                    StringComparison.Ordinal)) return false;
        }

        return true;
    }

    /// <summary>A structure with bytes and a path, perhaps in another, and a label; all of them may be null.</summary>
    private static CraftedColumn[] Columns((int Image, int Label)[] rows, string[] outer)
    {
        var above = outer.Length;
        bool[] optional = [.. outer.Select(_ => true), true, true];
        return
        [
            new([.. outer, "image", "bytes"], optional, 6, [.. rows.Select(
                (r, i) => r.Image == NoStructure ? (i % 2 == 0 ? above : 0) : r.Image == NoBytes ? above + 1 : above + 2)],
                [.. rows.Where(r => r.Image >= 0).Select(r => CraftedColumn.Bytes(Images[r.Image]))]),
            new([.. outer, "image", "path"], optional, 6, [.. rows.Select((r, i) => r.Image == NoStructure ? (i % 2 == 0 ? above : 0) : above + 2)],
                [.. rows.Where(r => r.Image != NoStructure).Select(r => CraftedColumn.Text($"{r.Image % 8}.png"))]) { IsText = true },
            new(["label"], [true], 2, [.. rows.Select(r => r.Label < 0 ? 0 : 1)], [.. rows.Where(r => r.Label >= 0).Select(
                r => CraftedColumn.Whole(r.Label))]),
        ];
    }

    private static CraftedColumn Images8() => new(["img"], [false], 6, new int[8], [.. Images.Select(CraftedColumn.Bytes)]);

    private static byte[] Named(string[] names, params long[] labels)
    {
        var metadata = JsonSerializer.Serialize(new { info = new { features = new { label = new { names, _type = "ClassLabel" } } } });
        CraftedColumn[] columns =
        [
            new(["img"], [false], 6, new int[labels.Length], [.. labels.Select(_ => CraftedColumn.Bytes(Images[0]))]),
            new(["label"], [false], 2, new int[labels.Length], [.. labels.Select(CraftedColumn.Whole)]),
        ];
        return CraftedParquet.Of(new([8], false, false, false, false, true), [columns], metadata);
    }

    private void Write(string name, byte[] bytes) => File.WriteAllBytes(_folder[name], bytes);
}
