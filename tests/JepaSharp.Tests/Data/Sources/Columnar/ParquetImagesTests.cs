using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Columnar;
using JepaSharp.Runtime;
using Parquet;
using Parquet.Schema;

namespace JepaSharp.Tests.Data.Sources.Columnar;

public sealed class ParquetImagesTests : IDisposable
{
    // 12 rendered scenes in row groups of 5, written by Arrow's own library (Snappy, dictionary, as Hugging Face's datasets writes them).
    private static readonly string ByArrow = Fixtures.PathOf("huggingface.parquet");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Parquet_ByArrow_GivesImagesLabelsAndClassNames()
    {
        using var images = ImageSources.Open(ByArrow);
        using var scenes = ImageSources.Open("scenes:12#size=16");
        Assert.Equal(["even", "odd"], images.Classes);
        Assert.Equal([.. Enumerable.Repeat("even", 6), .. Enumerable.Repeat("odd", 6)], images.ClassNames());
        Assert.Equal("huggingface.parquet[7]", images.NameOf(7));
        for (var i = 0; i < 12; i++) Assert.Equal(scenes.Pixels(((2 * i) % 12) + (i / 6)), images.Pixels(i));
    }

    [Fact]
    public void Parquet_ReadFromManyThreadsInAnyOrder_GivesTheSame()
    {
        using var images = ImageSources.Open(ByArrow);
        var inOrder = Enumerable.Range(0, 12).Select(images.Pixels).ToArray();
        using var again = ImageSources.Open(ByArrow);
        Parallel.For(0, 200, new() { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken }, i => Assert.Equal(
            inOrder[i * 7 % 12], again.Pixels(i * 7 % 12)));
    }

    [Fact]
    public async Task Parquet_FolderOfParts_GivesTheTrainingPartOrTheOneAskedFor()
    {
        Directory.CreateDirectory(_folder["data"]);
        await Write("data/train-00001-of-00002.parquet", [null], [2]);
        await Write("data/train-00000-of-00002.parquet",
            [EncodedImages.Png(EncodedImages.Picture(5, 4)), EncodedImages.Png(EncodedImages.Picture(5, 4, 1))], [1, null]);
        await Write("data/test-00000-of-00001.parquet", [EncodedImages.Png(EncodedImages.Picture(5, 4, 2))], [7]);
        using var train = ImageSources.Open(_folder.Path);
        using var test = ImageSources.Open(_folder["data"] + "#part=test");
        Assert.Equal(["1", null, "2"], train.ClassNames());
        Assert.Equal(EncodedImages.Picture(5, 4, 1).Pixels, train.Pixels(1));
        Assert.Contains("no image bytes", Assert.Throws<ImageUnreadableException>(() => train.Open(2)).Reason, StringComparison.Ordinal);
        Assert.Equal((1, 7.0), (test.Count, test.ValueOf(0, "label")));
        Assert.Contains(
            "test, train", Assert.Throws<JepaException>(() => ImageSources.Open(_folder.Path + "#part=valid")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parquet_OfBytes_IsReadOrRefused() =>
        SourceContents.AssertReadOrRefused(File.ReadAllBytes(ByArrow), _folder["h.parquet"], ImageSources.Open, trials: 150);

    [Fact]
    public async Task Parquet_WithoutImages_NamesItsColumns()
    {
        var schema = new ParquetSchema(new DataField<long>("label"), new DataField<long>("size"));
        await using (var file = File.Create(_folder["n.parquet"]))
        {
            await using var writer = await ParquetWriter.CreateAsync(schema, file, cancellationToken: TestContext.Current.CancellationToken);
            using var group = writer.CreateRowGroup();
            foreach (var field in schema.DataFields)
                await group.WriteAsync<long>(field, new long[] { 1 }.AsMemory(), cancellationToken: TestContext.Current.CancellationToken);
        }

        Assert.Contains("label, size", Assert.Throws<JepaException>(() => ImageSources.Open(_folder["n.parquet"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cache_KeepsToItsBudgetAndReadsAGroupOnce()
    {
        var reads = new List<int>();
        var cache = new RowGroupCache(250, key =>
        {
            lock (reads) reads.Add(key.Group);
            return [];
        }, _ => 100);
        foreach (var group in (int[])[0, 1, 0, 2, 0, 1]) cache.Get((0, group));
        Assert.Equal([0, 1, 2, 1], reads); // 1 had to go when 2 came; 0 was in use.
    }

    private async Task Write(string name, byte[]?[] images, long?[] labels)
    {
        var schema = new ParquetSchema(new DataField<byte[]>("img"), new DataField<long?>("label"));
        await using var file = File.Create(_folder[name]);
        await using var writer = await ParquetWriter.CreateAsync(schema, file, cancellationToken: TestContext.Current.CancellationToken);
        using var group = writer.CreateRowGroup();
        await group.WriteAsync(schema.DataFields[0], images!);
        await group.WriteAsync<long>(schema.DataFields[1], labels.AsMemory(), cancellationToken: TestContext.Current.CancellationToken);
    }
}
