using System.Text.Json.Nodes;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Weights;

/// <summary>A Hugging Face folder means the same whatever file its weights are in.</summary>
public sealed class HuggingFaceBinTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Folder_WithBin_IsReadWithItsConfigurationAndNormalisation(int shards)
    {
        var bin = MakeBin(_folder["bin"], shards);
        using var expected = PretrainedWeights.Open(Fixtures.PathOf("nano/hf"));
        using var found = PretrainedWeights.Open(bin);
        Assert.Equal(expected.Encoder, found.Encoder);
        Assert.Equal([0.5, 0.5, 0.5], found.Normalization!.Mean);
        Assert.Equal(3, found.Resample);
        Assert.True(found.Report.IsClean);
        foreach (var name in expected.Tensors.Keys)
        {
            using var scope = NewDisposeScope();
            Assert.True(expected.Read(name).equal(found.Read(name)).all().item<bool>(), name);
        }
    }

    [Theory]
    [InlineData("""{ "do_normalize": false, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5] }""", 0, 1)]
    [InlineData("""{ "do_rescale": false, "image_mean": [127.5, 127.5, 127.5], "image_std": [51, 51, 51] }""", 0.5, 0.2)]
    [InlineData("""{ "rescale_factor": 0.00784313725490196, "image_mean": [1, 1, 1], "image_std": [1, 1, 1] }""", 0.5, 0.5)]
    public void Preprocessor_OfAnotherScale_IsTakenAsItIsMeant(string json, double mean, double deviation)
    {
        var bin = MakeBin(_folder["bin"], 1);
        File.WriteAllText(Path.Combine(bin, "preprocessor_config.json"), json);
        using var found = PretrainedWeights.Open(bin);
        Assert.Equal(mean, found.Normalization!.Mean[0], 1e-12);
        Assert.Equal(deviation, found.Normalization.Deviation[0], 1e-12);
    }

    [Fact]
    public void Index_OfAShardThatLacksATensor_IsRefused()
    {
        var bin = MakeBin(_folder["bin"], 2);
        var index = Path.Combine(bin, "pytorch_model.bin.index.json");
        File.WriteAllText(index, File.ReadAllText(index).Replace("layernorm.weight", "layernorm.wait", StringComparison.Ordinal));
        Assert.Contains("as the index says", Assert.Throws<WeightsFileException>(() => PretrainedWeights.Open(bin)).Message);
    }

    /// <summary>The fixture's model as PyTorch saves it, in so many files.</summary>
    internal static string MakeBin(string folder, int shards)
    {
        Directory.CreateDirectory(folder);
        File.Copy(Fixtures.PathOf("nano/hf/config.json"), Path.Combine(folder, "config.json"));
        File.WriteAllText(
            Path.Combine(folder, "preprocessor_config.json"), """{ "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 3 }""");
        using var model = SafetensorsFile.Open(Fixtures.PathOf("nano/hf/model.safetensors"));
        var map = new JsonObject();
        foreach (var (shard, names) in model.Names.Index().GroupBy(n => n.Index % shards, n => n.Item).Select(g => (g.Key, g.ToList())))
        {
            var file = shards == 1 ? "pytorch_model.bin" : $"pytorch_model-{shard + 1:D5}-of-{shards:D5}.bin";
            File.WriteAllBytes(Path.Combine(folder, file), Checkpoint(model, names));
            foreach (var name in names) map[name] = file;
        }

        if (shards > 1)
            File.WriteAllText(Path.Combine(folder, "pytorch_model.bin.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return folder;
    }

    private static byte[] Checkpoint(SafetensorsFile model, List<string> names)
    {
        var pieces = new List<object> { "}" };
        var files = new List<(string, byte[])>();
        foreach (var (i, name) in names.Index())
        {
            var tensor = model.Find(name);
            var bytes = new byte[tensor.ByteCount];
            tensor.CopyTo(bytes);
            files.Add(($"a/data/{i}", bytes));
            long[] strides = [.. tensor.Shape.Select((_, d) => tensor.Shape.Skip(d + 1).Aggregate(1L, (a, b) => a * b))];
            var storage = CraftedFile.Storage(tensor.Count, key: $"{i}");
            pieces.AddRange([CraftedFile.Text(name), CraftedFile.Tensor(storage, 0, [.. tensor.Shape], strides), "s"]);
        }

        pieces.Add(".");
        return CraftedFile.Zip([("a/data.pkl", CraftedFile.Pickle([.. pieces])), .. files]);
    }
}
