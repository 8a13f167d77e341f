using System.IO.Compression;
using System.Text.Json;
using JepaSharp.Models;
using JepaSharp.Tests.Parity;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Weights;

public sealed class PretrainedWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static IEnumerable<TheoryDataRow<string>> ParityFolders =>
        RecordedFolders.Of(["nano", "micro", "two-context-blocks"], holding: "checkpoint.pth.tar");

    [Theory]
    [MemberData(nameof(ParityFolders))]
    public void Checkpoint_FromThePublishedCode_EqualsTheRecordedFinalWeightsBitForBit(string folder)
    {
        using var weights = PretrainedWeights.Open(Recorded(folder, "checkpoint.pth.tar"), heads: HeadsOf(folder));
        using var expected = SafetensorsFile.Open(Recorded(folder, "expected.safetensors"));
        Assert.Equal(WeightsFormat.TorchCheckpoint, weights.Format);
        Assert.Equal(NetworkNames.OfImageJepa, weights.Present);
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
        Assert.Empty(weights.Warnings);
        weights.Require([.. NetworkNames.OfImageJepa]);
        var final = expected.Names.Where(name => name.StartsWith("final.", StringComparison.Ordinal)).ToList();
        Assert.Equal(final.Count, weights.Tensors.Count);
        foreach (var name in final) Assert.True(SafetensorsTests.SameBits(expected.Tensors[name], weights.Tensors[name["final.".Length..]]), name);
        CompareShape(folder, weights);
    }

    [Theory]
    [MemberData(nameof(ParityFolders))]
    public void HuggingFaceFolder_FromTransformers_IsTheFinalTargetEncoderBitForBit(string folder)
    {
        using var weights = PretrainedWeights.Open(Recorded(folder, "hf"));
        using var expected = SafetensorsFile.Open(Recorded(folder, "expected.safetensors"));
        Assert.Equal(WeightsFormat.HuggingFace, weights.Format);
        Assert.Equal([NetworkNames.TargetEncoder], weights.Present);
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
        Assert.Equal(HeadsOf(folder), weights.Heads);
        foreach (var (name, tensor) in weights.Tensors) Assert.True(SafetensorsTests.SameBits(expected.Tensors["final." + name], tensor), name);
        Assert.Equal(expected.Names.Count(name => name.StartsWith("final.target_encoder.", StringComparison.Ordinal)), weights.Tensors.Count);
    }

    [Fact]
    public void Checkpoint_FromThePublishedCode_GivesEpochAndOptimizer()
    {
        using var weights = PretrainedWeights.Open(SafetensorsTests.Fixture("nano/checkpoint.pth.tar"), heads: 3);
        Assert.Equal(2, weights.Epoch);
        var optimizer = Assert.IsType<AdamWState>(weights.Optimizer);
        Assert.Equal(8, optimizer.Step);
        // Every trained parameter has a state; the fixed position tables have none.
        var trained = weights.Tensors.Where(
            pair => !pair.Key.StartsWith("target_encoder.", StringComparison.Ordinal) && !pair.Key.EndsWith("pos_embed", StringComparison.Ordinal));
        Assert.Equal(trained.Select(pair => pair.Key).Order(), optimizer.Moments.Keys.Order());
        foreach (var (name, moments) in optimizer.Moments)
        {
            Assert.Equal(weights.Tensors[name].Shape, moments.First.Shape);
            using var second = moments.Second.Read();
            Assert.True(second.min().item<float>() >= 0, name);
        }
    }

    [Fact]
    public void Checkpoint_WithAGradientScaler_IsReadAsWithout()
    {
        // The recorded one has none: its None becomes the dictionary of a scaler that was used.
        using var archive = ZipFile.OpenRead(SafetensorsTests.Fixture("nano/checkpoint.pth.tar"));
        var files = archive.Entries.Select(entry =>
        {
            using var stream = entry.Open();
            using var content = new MemoryStream();
            stream.CopyTo(content);
            return (Name: entry.FullName, Content: content.ToArray());
        }).ToArray();
        var pickle = Array.FindIndex(files, file => file.Name.EndsWith("data.pkl", StringComparison.Ordinal));
        var key = files[pickle].Content.AsSpan().IndexOf("scaler"u8);
        var none = key + files[pickle].Content.AsSpan(key).IndexOf((byte)'N');
        byte[] scaler = [(byte)'}', (byte)'(', (byte)'X', 5, 0, 0, 0, .. "scale"u8, (byte)'G', 0x40, 0xf0, 0, 0, 0, 0, 0, 0, (byte)'u'];
        files[pickle].Content = [.. files[pickle].Content[..none], .. scaler, .. files[pickle].Content[(none + 1)..]];
        File.WriteAllBytes(_folder["scaled.pth.tar"], CraftedFile.Zip(files));

        using var scaled = PretrainedWeights.Open(_folder["scaled.pth.tar"], heads: 3);
        using var plain = PretrainedWeights.Open(SafetensorsTests.Fixture("nano/checkpoint.pth.tar"), heads: 3);
        using (var raw = PickledCheckpoint.Open(_folder["scaled.pth.tar"]))
            Assert.Contains(
                "scale", Assert.IsType<OrderedDictionary<object, object?>>(((OrderedDictionary<object, object?>)raw.Root!)["scaler"]).Keys);
        AssertSame(plain, scaled, [.. NetworkNames.OfImageJepa]);
        Assert.True(scaled.Report.IsClean);
        Assert.Empty(scaled.Warnings);
        Assert.Equal(8, scaled.Optimizer!.Step);
    }

    [Fact]
    public void OptimizerState_OfEveryParameter_HoldsTheRecordedFirstGradient()
    {
        // v = (1 - b2) sum over 8 steps of b2^(8 - k) g_k^2 is at least the first term, in every element. Of another block's parameter that is seldom
        // true.
        using var scope = NewDisposeScope();
        using var weights = PretrainedWeights.Open(SafetensorsTests.Fixture("nano/checkpoint.pth.tar"), heads: 3);
        using var expected = SafetensorsFile.Open(SafetensorsTests.Fixture("nano/expected.safetensors"));
        var (compared, exchangeable) = (0, 0);
        foreach (var (name, moments) in weights.Optimizer!.Moments)
        {
            Assert.True(Holds(moments, name), name);
            var other = name.Contains(".0.") ? name.Replace(".0.", ".1.") : name.Replace(".1.", ".0.");
            if (other == name) continue;
            compared++;
            if (Holds(weights.Optimizer.Moments[other], name)) exchangeable++;
        }

        Assert.Equal(48, compared);
        Assert.InRange(exchangeable, 0, 12);

        bool Holds(AdamWMoments moments, string name)
        {
            var first = expected.Read("grad." + name).square() * (0.001 * Math.Pow(0.999, 7) * (1 - 1e-4));
            return moments.Second.Read().ge(first).all().item<bool>();
        }
    }

    [Theory]
    [MemberData(nameof(ParityFolders))]
    public void OursToHuggingFaceToOurs_IsBitExact(string folder)
    {
        using var published = PretrainedWeights.Open(Recorded(folder, "checkpoint.pth.tar"), HeadsOf(folder));
        HuggingFaceFolder.Write(_folder["hf"], published.Network(NetworkNames.TargetEncoder), published.Encoder, PixelNormalization.ImageNet);
        using var back = PretrainedWeights.Open(_folder["hf"]);
        AssertSame(published, back, NetworkNames.TargetEncoder);
        Assert.Equal(published.Encoder, back.Encoder);
        Assert.Equal(PixelNormalization.ImageNet.Mean, back.Normalization!.Mean);
        Assert.Equal(PixelNormalization.ImageNet.Deviation, back.Normalization.Deviation);

        // And what transformers wrote from the same weights: every tensor, every setting.
        using var ours = SafetensorsFile.Open(_folder["hf/model.safetensors"]);
        using var theirs = SafetensorsFile.Open(Recorded(folder, "hf/model.safetensors"));
        Assert.Equal(theirs.Names.Order(), ours.Names.Order());
        Assert.Equal(theirs.Metadata, ours.Metadata);
        foreach (var name in theirs.Names) Assert.True(SafetensorsTests.SameBits(theirs.Tensors[name], ours.Tensors[name]), name);
        using var config = JsonDocument.Parse(File.ReadAllText(_folder["hf/config.json"]));
        using var theirConfig = JsonDocument.Parse(File.ReadAllText(Recorded(folder, "hf/config.json")));
        Assert.True(JsonElement.DeepEquals(theirConfig.RootElement, config.RootElement));
    }

    [Fact]
    public void PublishedToOursToOurs_IsBitExactAndKeepsWhatIsKnown()
    {
        using var published = PretrainedWeights.Open(SafetensorsTests.Fixture("nano/checkpoint.pth.tar"), heads: 3);
        var metadata = WeightsMetadata.Describe(published.Encoder, published.Predictor, PixelNormalization.ImageNet, published.Epoch);
        var run = _folder["run"];
        foreach (var name in (string[])["epoch-0001", "latest"])
        {
            Directory.CreateDirectory(Path.Combine(run, "checkpoints", name));
            SafetensorsWriter.Write(Path.Combine(run, "checkpoints", name, "weights.safetensors"), [.. published.Tensors], metadata);
        }

        foreach (var path in (string[])[run, Path.Combine(run, "checkpoints/latest"), Path.Combine(run, "checkpoints/latest/weights.safetensors")])
        {
            using var ours = PretrainedWeights.Open(path);
            Assert.EndsWith("latest/weights.safetensors", ours.Path);
            Assert.Equal(WeightsFormat.Native, ours.Format);
            AssertSame(published, ours, [.. NetworkNames.OfImageJepa]);
            Assert.Equal((published.Encoder, published.Predictor, 2L), (ours.Encoder, ours.Predictor, ours.Epoch!.Value));
            Assert.Equal(PixelNormalization.ImageNet.Mean, ours.Normalization!.Mean);
        }
    }

    [Fact]
    public void HuggingFace_LaterLayoutInShards_ReadsAsTheFirst()
    {
        using var hf = SafetensorsFile.Open(SafetensorsTests.Fixture("nano/hf/model.safetensors"));
        var later = hf.Tensors.Select(pair => KeyValuePair.Create(LaterName(pair.Key), pair.Value)).ToList();
        Assert.Contains(later, pair => pair.Key == "ijepa.layers.1.attention.o_proj.weight");
        SafetensorsWriter.Write(_folder["model-1.safetensors"], later[..10]);
        SafetensorsWriter.Write(_folder["model-2.safetensors"], later[10..]);
        var map =
            later.Select((pair, i) => (pair.Key, Shard: $"model-{(i < 10 ? 1 : 2)}.safetensors")).ToDictionary(pair => pair.Key, pair => pair.Shard);
        File.WriteAllText(
            _folder["model.safetensors.index.json"], JsonSerializer.Serialize(new { metadata = new { total_size = 1 }, weight_map = map }));
        File.Copy(SafetensorsTests.Fixture("nano/hf/config.json"), _folder["config.json"]);
        using var first = PretrainedWeights.Open(SafetensorsTests.Fixture("nano/hf"));
        using var sharded = PretrainedWeights.Open(_folder.Path);
        Assert.Equal(WeightsFormat.HuggingFace, sharded.Format);
        AssertSame(first, sharded, NetworkNames.TargetEncoder);
        Assert.True(sharded.Report.IsClean);
    }

    [Fact]
    public void LoneEncoder_WithoutPrefix_IsTheTargetEncoder()
    {
        using var published = PretrainedWeights.Open(SafetensorsTests.Fixture("nano/checkpoint.pth.tar"), heads: 3);
        SafetensorsWriter.Write(_folder["e.safetensors"], [.. published.Network(NetworkNames.ContextEncoder)]);
        using var lone = PretrainedWeights.Open(_folder["e.safetensors"], heads: 3);
        Assert.Equal((WeightsFormat.Safetensors, NetworkNames.TargetEncoder), (lone.Format, Assert.Single(lone.Present)));
        Assert.Equal(published.Encoder, lone.Encoder);
        Assert.Contains("those of: predictor", Assert.Throws<WeightsFileException>(() => lone.Require(NetworkNames.Predictor)).Message);
    }

    [Fact]
    public void Report_MissingExtraAndMisshapen_NamesEach()
    {
        using var scope = NewDisposeScope();
        using var initial = SafetensorsFile.Open(SafetensorsTests.Fixture("nano/initial.safetensors"));
        var changed = initial.Tensors.Where(pair => pair.Key != "encoder.norm.bias").ToDictionary();
        changed["predictor.predictor_norm.bias"] = LazyTensor.Of(zeros(7));
        changed["target_encoder.norm.weight"] = LazyTensor.Of(zeros([48], ScalarType.Int64));
        changed["encoder.head.weight"] = LazyTensor.Of(zeros(1));
        changed["optimizer"] = LazyTensor.Of(zeros(1));
        SafetensorsWriter.Write(_folder["w.safetensors"], [.. changed]);
        using var weights = PretrainedWeights.Open(_folder["w.safetensors"], heads: 3);
        Assert.Equal(["encoder.norm.bias"], weights.Report.Missing);
        Assert.Equal(["encoder.head.weight", "optimizer"], weights.Report.Unknown.Order());
        Assert.Equal(2, weights.Report.Mismatched.Count);
        Assert.Contains(weights.Report.Mismatched, line => line == "predictor.predictor_norm.bias is float32 [7], not [24]");
        Assert.Contains("encoder.norm.bias", Assert.Throws<WeightsFileException>(() => weights.Require(NetworkNames.ContextEncoder)).Message);
        Assert.Contains("[7]", Assert.Throws<WeightsFileException>(() => weights.Require(NetworkNames.Predictor)).Message);
        Assert.Contains("floating", Assert.Throws<WeightsFileException>(() => weights.Require(NetworkNames.TargetEncoder)).Message);
    }

    [Fact]
    public void Read_NaN_IsRefusedByName()
    {
        using var scope = NewDisposeScope();
        using var initial = SafetensorsFile.Open(SafetensorsTests.Fixture("nano/initial.safetensors"));
        var changed = initial.Tensors.ToDictionary();
        changed["encoder.norm.bias"] = LazyTensor.Of(full(48, float.NaN));
        SafetensorsWriter.Write(_folder["w.safetensors"], [.. changed]);
        using var weights = PretrainedWeights.Open(_folder["w.safetensors"], heads: 3);
        Assert.Contains(
            "48 of 48 numbers in 'encoder.norm.bias'", Assert.Throws<WeightsFileException>(() => weights.Read("encoder.norm.bias")).Message);
        Assert.Equal([48], weights.Read("encoder.norm.weight").shape);
    }

    [Fact]
    public void Encoder_OfUnknownWidthWithoutHeads_AsksForThem()
    {
        using var weights = PretrainedWeights.Open(SafetensorsTests.Fixture("nano/checkpoint.pth.tar"));
        Assert.Null(weights.Heads);
        Assert.Contains("48", Assert.Throws<WeightsFileException>(() => weights.Encoder).Message);
    }

    [Theory]
    [InlineData("no/such/path", "nothing there")]
    [InlineData("", "a folder without weights")]
    [InlineData("a.safetensors", "patch_embed")]
    [InlineData("text.pth", "begins with the bytes 68656C6C6F")]
    public void Open_WhatIsNotWeights_SaysSo(string name, string found)
    {
        SafetensorsWriter.Write(_folder["a.safetensors"], new Dictionary<string, LazyTensor>().ToList());
        File.WriteAllText(_folder["text.pth"], "hello");
        var path = name.Length == 0 ? _folder.Path : _folder[name];
        Assert.Contains(found, Assert.Throws<WeightsFileException>(() => PretrainedWeights.Open(path).Dispose()).Message);
    }

    private static void AssertSame(PretrainedWeights expected, PretrainedWeights found, params string[] networks)
    {
        found.Require(networks);
        Assert.Equal(networks, found.Present);
        foreach (var (name, tensor) in found.Tensors) Assert.True(SafetensorsTests.SameBits(expected.Tensors[name], tensor), name);
    }

    private static void CompareShape(string folder, PretrainedWeights weights)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Recorded(folder, "expected.json")));
        int Number(string key) => json.RootElement.GetProperty(key).GetInt32();
        Assert.Equal(RecordedRun.ShapeOf(json.RootElement), weights.Encoder);
        Assert.Equal(new PredictorShape(Number("predictor_embed_dim"), Number("predictor_depth"), Number("predictor_num_heads")), weights.Predictor);
    }

    private static int HeadsOf(string folder) => RecordedFolders.FactsOf(folder).GetProperty("num_heads").GetInt32();

    private static string Recorded(string folder, string file) => RecordedFolders.PathOf(folder, file);

    private static string LaterName(string name) => "ijepa." + name
        .Replace("encoder.layer.", "layers.").Replace("attention.attention.query", "attention.q_proj").Replace(
            "attention.attention.key", "attention.k_proj")
        .Replace("attention.attention.value", "attention.v_proj").Replace("attention.output.dense", "attention.o_proj")
        .Replace("intermediate.dense", "mlp.fc1").Replace("output.dense", "mlp.fc2");
}
