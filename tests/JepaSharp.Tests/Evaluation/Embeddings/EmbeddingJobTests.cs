using System.Globalization;
using System.Text;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data.Sources;
using JepaSharp.Weights;
using Parquet;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Evaluation.Embeddings;

public sealed class EmbeddingJobTests : IDisposable
{
    private const int Size = 16;

    private readonly TemporaryFolder _folder = new();
    private readonly VisionTransformer _encoder;
    private readonly PixelScaling _scaling = new([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], CPU);

    public EmbeddingJobTests()
    {
        _encoder = new VisionTransformer(
            new VisionTransformerShape { ImageHeight = 32, ImageWidth = 32, PatchSize = 8, Width = 12, Depth = 4, Heads = 3, MlpWidth = 24 });
        Initialization.Initialize(_encoder, seed: 1, stream: 0);
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _scaling.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<string, int, bool> Outputs
    {
        get
        {
            var outputs = new TheoryData<string, int, bool>();
            foreach (var ending in (string[])["npy", "safetensors", "csv", "parquet"])
            {
                outputs.Add(ending, 1, true);
                outputs.Add(ending, 4, false);
            }

            return outputs;
        }
    }

    [Theory]
    [MemberData(nameof(Outputs))]
    public void Run_OfEveryFormat_WritesWhatTheEncoderSaysOfEachReadableImage(string ending, int layers, bool pooled)
    {
        var source = new NumberedImages(23, isBroken: i => i is 0 or 7 or 22);
        var path = _folder["out." + ending];
        var request = Request(source) with { Output = new EncoderOutput(layers, pooled) };
        var result = Finish(new EmbeddingJob(request, EmbeddingPaths.Of(path)));
        Assert.True(result.Finished);
        Assert.Equal(3, result.Unreadable.Count);
        int[] readable = [.. Enumerable.Range(0, 23).Where(i => i is not (0 or 7 or 22))];
        var (names, values) = Read(path, ending, pooled ? 1 : 4);
        Assert.Equal(readable.Select(i => $"image {i}"), names);
        Assert.Equal(pooled ? [20L, 12 * layers] : [20L, 4, 12 * layers], result.Shape);
        var expected = Expected(source, readable, layers, pooled);
        Assert.Equal(expected.Length, values.Length);
        for (var i = 0; i < values.Length; i++) Assert.Equal(expected[i], values[i], 1e-5f);
        Assert.Empty(Directory.GetFiles(_folder.Path, "*partial*"));
    }

    [Theory]
    [InlineData("npy")]
    [InlineData("safetensors")]
    [InlineData("csv")]
    [InlineData("parquet")]
    public void Run_StoppedAndAskedForAgain_EndsAsIfItHadNot(string ending)
    {
        var source = new NumberedImages(23, isBroken: i => i == 7);
        var (whole, broken) = (_folder["whole." + ending], _folder["broken." + ending]);
        Finish(new EmbeddingJob(Request(source), EmbeddingPaths.Of(whole)));
        foreach (var stopAt in (int[])[4, 12])
        {
            using var stop = new CancellationTokenSource();
            var result = new EmbeddingJob(Request(source), EmbeddingPaths.Of(broken)).Run(new StopAt(stopAt, stop), stop.Token);
            Assert.False(result.Finished);
            Assert.False(File.Exists(broken));
            // What a process that was killed meanwhile wrote after its last note does not count.
            File.AppendAllText(broken + ".partial", "garbage");
        }

        var last = new EmbeddingJob(Request(source), EmbeddingPaths.Of(broken));
        Assert.Equal(12, last.AlreadyDone);
        Assert.True(Finish(last).Finished);
        var (expectedNames, expected) = Read(whole, ending, 1);
        var (names, values) = Read(broken, ending, 1);
        Assert.Equal(expectedNames, names);
        Assert.Equal(expected, values);
        if (ending != "parquet") Assert.Equal(File.ReadAllBytes(whole), File.ReadAllBytes(broken));
        Assert.Empty(Directory.GetFiles(_folder.Path, "*partial*"));
    }

    [Fact]
    public void Job_AtThePlaceOfAnUnfinishedOtherOne_IsRefusedWithTheDifferences()
    {
        var path = _folder["out.npy"];
        using var stop = new CancellationTokenSource();
        new EmbeddingJob(Request(new NumberedImages(23)), EmbeddingPaths.Of(path)).Run(new StopAt(4, stop), stop.Token);
        var error = Assert.Throws<JepaException>(
            () => new EmbeddingJob(Request(new NumberedImages(24)) with { Output = new EncoderOutput(4) }, EmbeddingPaths.Of(path)));
        Assert.True(error.IsUsage);
        Assert.Contains("layers was 1 and is now 4", error.Message);
        Assert.Contains("images was 23 and is now 24", error.Message);
        Initialization.Initialize(_encoder, seed: 2, stream: 0);
        Assert.Contains(
            "weights was", Assert.Throws<JepaException>(() => new EmbeddingJob(Request(new NumberedImages(23)), EmbeddingPaths.Of(path))).Message);
    }

    [Fact]
    public void Job_AfterACutPartialFile_IsRefused()
    {
        var path = _folder["out.npy"];
        using var stop = new CancellationTokenSource();
        new EmbeddingJob(Request(new NumberedImages(23)), EmbeddingPaths.Of(path)).Run(new StopAt(4, stop), stop.Token);
        File.WriteAllText(path + ".partial", "");
        Assert.Contains(
            "too short", Assert.Throws<JepaException>(() => new EmbeddingJob(Request(new NumberedImages(23)), EmbeddingPaths.Of(path))).Message);
        File.WriteAllText(path + ".partial.json", "{");
        Assert.Contains(
            "begin anew", Assert.Throws<JepaException>(() => new EmbeddingJob(Request(new NumberedImages(23)), EmbeddingPaths.Of(path))).Message);
    }

    [Fact]
    public void Paths_OfAFinishedOutput_AreRefused()
    {
        var path = _folder["out.npy"];
        Finish(new EmbeddingJob(Request(new NumberedImages(3)), EmbeddingPaths.Of(path)));
        Assert.Contains("is not overwritten", Assert.Throws<JepaException>(() => EmbeddingPaths.Of(path)).Message);
        File.Delete(path);
        Assert.Contains("out.index.csv", Assert.Throws<JepaException>(() => EmbeddingPaths.Of(path)).Message);
    }

    [Theory]
    [InlineData("a.xyz", ".safetensors, .npy, .csv or .parquet")]
    [InlineData("noending", ".safetensors, .npy, .csv or .parquet")]
    [InlineData("no/such/folder/a.npy", "no folder")]
    [InlineData("", "is a folder")]
    public void Paths_ThatCannotBeMeant_SayWhy(string name, string said)
    {
        var error = Assert.Throws<JepaException>(() => EmbeddingPaths.Of(name.Length == 0 ? _folder.Path : _folder[name]));
        Assert.Contains(said, error.Message);
        Assert.True(error.IsUsage);
    }

    [Fact]
    public void Job_OfASizeThatIsNoMultipleOfThePatch_IsRefused() =>
        Assert.Contains("multiple of 8", Assert.Throws<JepaException>(
            () =>
                new EmbeddingJob(Request(new NumberedImages(3)) with { Transform = EvaluationTransform.CenterCrop(20) },
                    EmbeddingPaths.Of(_folder["a.npy"]))).Message);

    private static EmbeddingResult Finish(EmbeddingJob job) => job.Run(null, TestContext.Current.CancellationToken);

    private EmbeddingRequest Request(ImageSource source) =>
        new() { Encoder = _encoder, Source = source, Scaling = _scaling, Transform = EvaluationTransform.Squash(Size), BatchSize = 4 };

    /// <summary>One image at a time, straight through the network.</summary>
    private float[] Expected(ImageSource source, int[] indices, int layers, bool pooled)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var all = new List<float>();
        foreach (var batch in new ImageReader(source, EvaluationTransform.Squash(Size), 1).Read(indices))
        {
            var patches = cat([.. _encoder.LastBlocks(_scaling.ToImages(batch), layers)], -1)[0];
            all.AddRange((pooled ? patches.mean([0]) : patches).contiguous().data<float>().ToArray());
        }

        return [.. all];
    }

    private static (string[] Names, float[] Values) Read(string path, string ending, int vectors) => ending switch
    {
        "npy" => (IndexNames(path), NpyNumbers(File.ReadAllBytes(path))),
        "safetensors" => (IndexNames(path), SafetensorsNumbers(path)),
        "csv" => CsvNumbers(File.ReadAllLines(path), vectors),
        _ => ParquetNumbers(path, vectors).GetAwaiter().GetResult(),
    };

    private static string[] IndexNames(string path)
    {
        var lines = File.ReadAllLines(Path.ChangeExtension(path, ".index.csv"));
        Assert.Equal("row,name,label,class", lines[0]);
        Assert.Equal(Enumerable.Range(0, lines.Length - 1).Select(i => $"{i}"), lines.Skip(1).Select(line => line.Split(',')[0]));
        return [.. lines.Skip(1).Select(line => line.Split(',')[1])];
    }

    private static float[] NpyNumbers(byte[] file)
    {
        Assert.Equal("NUMPY", Encoding.ASCII.GetString(file, 1, 5));
        var length = BitConverter.ToUInt16(file, 8);
        Assert.Equal(0, (10 + length) % 64);
        var header = Encoding.ASCII.GetString(file, 10, length);
        Assert.EndsWith("\n", header);
        var sizes = header.Split("'shape': (")[1].Split(')')[0].Split(',').Select(s => int.Parse(s.Trim(), CultureInfo.InvariantCulture));
        Assert.Equal(file.Length - 10 - length, 4 * sizes.Aggregate(1, (a, b) => a * b));
        return [.. Enumerable.Range(0, (file.Length - 10 - length) / 4).Select(i => BitConverter.ToSingle(file, 10 + length + (4 * i)))];
    }

    private static float[] SafetensorsNumbers(string path)
    {
        using var file = SafetensorsFile.Open(path);
        Assert.Contains(file.Metadata, pair => pair.Key == "layers");
        using var features = file.Read("features");
        return features.data<float>().ToArray();
    }

    private static (string[] Names, float[] Values) CsvNumbers(string[] lines, int vectors)
    {
        var skip = vectors > 1 ? 4 : 3;
        Assert.StartsWith(vectors > 1 ? "name,label,class,patch,f0,f1" : "name,label,class,f0,f1", lines[0]);
        var rows = lines.Skip(1).Select(line => line.Split(',')).ToList();
        if (vectors > 1) Assert.Equal(Enumerable.Range(0, rows.Count).Select(i => $"{i % vectors}"), rows.Select(row => row[3]));
        return ([.. rows.Where((_, i) => i % vectors == 0).Select(row => row[0])],
            [.. rows.SelectMany(row => row.Skip(skip)).Select(number => float.Parse(number, CultureInfo.InvariantCulture))]);
    }

    private static async Task<(string[] Names, float[] Values)> ParquetNumbers(string path, int vectors)
    {
        await using var reader = await ParquetReader.CreateAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        var (names, values) = (new List<string>(), new List<float>());
        foreach (var group in reader.RowGroups)
        {
            var name = new string?[group.RowCount];
            await group.ReadAsync(reader.Schema.DataFields[0], name.AsMemory(), cancellationToken: TestContext.Current.CancellationToken);
            names.AddRange(name.Where((_, i) => i % vectors == 0)!);
            var width = 12 * int.Parse(reader.CustomMetadata["layers"], CultureInfo.InvariantCulture);
            var (numbers, definition, repetition) =
                (new float[group.RowCount * width], new int[group.RowCount * width], new int[group.RowCount * width]);
            await group.ReadRawAsync(reader.Schema.DataFields[^1], numbers.AsMemory(), definition.AsMemory(), repetition.AsMemory(),
                TestContext.Current.CancellationToken);
            Assert.Equal(Enumerable.Range(0, numbers.Length).Select(i => i % width == 0 ? 0 : 1), repetition);
            values.AddRange(numbers);
        }

        return ([.. names], [.. values]);
    }

    private sealed class StopAt(int image, CancellationTokenSource stop) : IProgress<int>
    {
        public void Report(int value)
        {
            if (value >= image) stop.Cancel();
        }
    }
}
