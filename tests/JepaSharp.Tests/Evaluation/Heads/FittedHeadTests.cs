using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Evaluation;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Evaluation.Features;
using JepaSharp.Evaluation.Heads;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data;
using JepaSharp.Weights;
using JepaSharp.Weights.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Parquet;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Evaluation.Heads;

/// <summary>A head is kept, opened and used; what no longer fits is refused in a sentence.</summary>
public sealed class FittedHeadTests : IDisposable
{
    private const int Size = 16;

    private readonly TemporaryFolder _folder = new();
    private readonly ScenesSource _scenes = new(3, 40, Size);

    public void Dispose()
    {
        _folder.Dispose();
        _scenes.Dispose();
    }

    [Theory]
    [InlineData(HeadKinds.Linear)]
    [InlineData(HeadKinds.Logistic)]
    [InlineData(HeadKinds.Neighbours)]
    public void Head_KeptAndOpened_SaysTheSameToTheBit(string kind)
    {
        var (fitted, features) = Fit(kind, Fixtures.PathOf("nano/hf"), embed: false);
        using var kept = fitted;
        using var head = FittedHead.Open(_folder["head"]);
        var said = head.Predict(_scenes, cancellation: TestContext.Current.CancellationToken);
        var expected = Calibration.Probabilities(fitted.Model.Outputs.Of(features), 2, fitted.Temperature);
        Assert.Equal(expected, said.Images.SelectMany(image => image.Probabilities!));
        Assert.Null(said.LeftOut);
        Assert.All(said.Images, image => Assert.Equal(image.Probability < fitted.UnsureBelow, image.IsUnsure));
        Assert.All(
            head.Predict(_scenes, unsureBelow: 1, cancellation: TestContext.Current.CancellationToken).Images,
            image => Assert.Equal(image.Probability < 1, image.IsUnsure));
    }

    [Fact]
    public void Head_WithItsWeightsEmbedded_NeedsNoOthers()
    {
        var weights = Path.Combine(_folder.Path, "w");
        Directory.CreateDirectory(weights);
        foreach (var file in Directory.GetFiles(Fixtures.PathOf("nano/hf"))) File.Copy(file, Path.Combine(weights, Path.GetFileName(file)));
        Fit(HeadKinds.Logistic, weights, embed: true).Fitted.Dispose();
        Directory.Delete(weights, recursive: true);
        Directory.Move(_folder["head"], _folder["moved"]);
        using var head = FittedHead.Open(_folder["moved"]);
        Assert.Equal(40, head.Predict(_scenes, cancellation: TestContext.Current.CancellationToken).Images.Count);
    }

    [Fact]
    public void Head_WhoseEncoderHasChangedOrGone_IsRefused()
    {
        var weights = _folder["w.safetensors"];
        using (var source = PretrainedWeights.Open(Fixtures.PathOf("nano/hf")))
            WeightsExport.ToSafetensors(source, null, PixelNormalization.ImageNet, weights);
        Fit(HeadKinds.Logistic, weights, embed: false).Fitted.Dispose();
        using (var scope = NewDisposeScope())
        using (var file = SafetensorsFile.Open(weights))
        {
            var changed = file.Tensors.ToDictionary();
            var name = changed.Keys.First(n => n.EndsWith("norm.bias", StringComparison.Ordinal));
            changed[name] = LazyTensor.Of(changed[name].Read().Multiply(0).Add(tensor(0.5f)));
            SafetensorsWriter.Write(_folder["other.safetensors"], [.. changed], file.Metadata);
        }

        Says("is another than", () => FittedHead.Open(_folder["head"], _folder["other.safetensors"]));
        File.Delete(weights);
        Says("has gone from there. Give it with --weights", () => FittedHead.Open(_folder["head"]));
        using var head = FittedHead.Open(_folder["head"], Fixtures.PathOf("nano/hf")); // the same weights, elsewhere
        Assert.Equal(2, head.Classes.Count);
    }

    [Theory]
    [InlineData("\"format\": 1", "\"format\": 2", "has the format 2")]
    [InlineData("\"kind\": \"logistic\"", "\"kind\": \"magic\"", "unknown kind \"magic\"")]
    [InlineData("\"pool\": \"auto\"", "\"pool\": \"max\"", "The pooling \"max\" is not known")]
    [InlineData("\"layers\": 1", "\"layers\": 9", "does not fit its encoder")]
    [InlineData("\"size\": 16", "\"size\": 17", "does not fit its encoder")]
    [InlineData("\"width\": 48", "\"width\": 47", "'weight' in")]
    [InlineData("\"temperature\"", "\"temperatur\"", "no temperature")]
    [InlineData("{", "[", "cannot be read as a head")]
    [InlineData("\"squash\"", "\"stretch\"", "The transform \"stretch\"")]
    public void Record_ThatIsNotRight_IsRefusedInASentence(string from, string to, string said)
    {
        Fit(HeadKinds.Logistic, Fixtures.PathOf("nano/hf"), embed: false).Fitted.Dispose();
        var path = _folder["head/head.json"];
        var text = File.ReadAllText(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        var at = text.IndexOf(from, StringComparison.Ordinal);
        File.WriteAllText(path, string.Concat(text.AsSpan(0, at), to, text.AsSpan(at + from.Length)));
        Says(said, () => FittedHead.Open(_folder["head"]));
    }

    [Fact]
    public void Numbers_OfADamagedFile_AreRefused()
    {
        Fit(HeadKinds.Logistic, Fixtures.PathOf("nano/hf"), embed: false).Fitted.Dispose();
        var path = _folder["head/head.safetensors"];
        var bytes = File.ReadAllBytes(path);
        bytes[^9] ^= 0x20;
        File.WriteAllBytes(path, bytes);
        Assert.Throws<WeightsFileException>(() => FittedHead.Open(_folder["head"]));
        File.Delete(path);
        Says("lacks head.safetensors", () => FittedHead.Open(_folder["head"]));
    }

    [Fact]
    public void Image_InMemory_IsPredictedAsTheFileIs()
    {
        Fit(HeadKinds.Logistic, Fixtures.PathOf("nano/hf"), embed: false).Fitted.Dispose();
        var png = EncodedImages.Png(EncodedImages.Picture(40, 36));
        File.WriteAllBytes(_folder["x.png"], png);
        using var head = FittedHead.Open(_folder["head"]);
        using var file = LooseImages.Files(_folder["x.png"]);
        using var memory = LooseImages.Encoded(png);
        IReadOnlyList<double> Of(LooseImages images) =>
            head.Predict(images, cancellation: TestContext.Current.CancellationToken).Images[0].Probabilities!;
        Assert.Equal(Of(file), Of(memory));
    }

    [Fact]
    public void Head_AsOnnx_GivesWhatPredictGives()
    {
        Fit(HeadKinds.Logistic, Fixtures.PathOf("nano/hf"), embed: false).Fitted.Dispose();
        var picture = EncodedImages.Picture(Size, Size);
        using var head = FittedHead.Open(_folder["head"]);
        _ = head.WriteOnnx(_folder["head.onnx"]);
        using var images = LooseImages.Encoded(EncodedImages.Png(picture));
        var expected = head.Predict(images, cancellation: TestContext.Current.CancellationToken).Images[0].Probabilities!;
        var pixels = new DenseTensor<float>([1, 3, Size, Size]);
        for (var i = 0; i < picture.Pixels.Length; i++) pixels[0, i % 3, i / 3 / Size, i / 3 % Size] = picture.Pixels[i] / 255f;
        using var session = new InferenceSession(_folder["head.onnx"]);
        using var given = session.Run([NamedOnnxValue.CreateFromTensor(OnnxExport.Pixels, pixels)]);
        var probabilities = given.Single(v => v.Name == OnnxExport.Probabilities).AsEnumerable<float>().ToList();
        Assert.Equal(expected.Count, probabilities.Count);
        Assert.All(expected.Zip(probabilities), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Head_OfNeighbours_HasNoOnnxFormAndSaysWhatHas()
    {
        Fit(HeadKinds.Neighbours, Fixtures.PathOf("nano/hf"), embed: false).Fitted.Dispose();
        using var head = FittedHead.Open(_folder["head"]);
        var mistake = Assert.Throws<JepaException>(() => head.WriteOnnx(_folder["head.onnx"]));
        Assert.Contains("Fit one with 'jepa fit --head logistic", mistake.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["head.onnx"]));
    }

    [Fact]
    public async Task Predictions_WrittenAsParquetAndText_ReadBackTheSame()
    {
        ImagePrediction[] predictions =
        [
            new(0, "a,\"b\".png") { Label = "cat", Probability = 0.1 + 0.2, IsUnsure = true },
            new(2, "c.png") { Label = "dog, small", Probability = 1.0 / 3 },
        ];
        PredictionFile.Write(_folder["p.csv"], predictions);
        Assert.Equal(
            "image,label,probability,unsure\n\"a,\"\"b\"\".png\",cat,0.30000000000000004,true\nc.png,\"dog, small\",0.3333333333333333,false\n",
            await File.ReadAllTextAsync(_folder["p.csv"], TestContext.Current.CancellationToken));
        PredictionFile.Write(_folder["p.parquet"], predictions);
        using var stream = File.OpenRead(_folder["p.parquet"]);
        await using var reader = await ParquetReader.CreateAsync(stream, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(["image", "label", "probability", "unsure"], reader.Schema.DataFields.Select(f => f.Name));
        using var group = reader.OpenRowGroupReader(0);
        Assert.Equal(2, group.RowCount);
        Assert.Contains("exists and is not overwritten",
            Assert.Throws<JepaException>(() => PredictionFile.Write(_folder["p.csv"], predictions)).Message, StringComparison.Ordinal);
    }

    /// <summary>A head that tells scenes of an even place from those of an odd one, of which nothing is to be known.</summary>
    private (FittedClasses Fitted, FeatureMatrix Features) Fit(string kind, string weights, bool embed)
    {
        using var opened = PretrainedWeights.Open(weights);
        using var encoder = PretrainedNetworks.LoadEncoder(opened, opened.Evaluated);
        encoder.ComputeIn(ScalarType.Float32);
        var normalization = opened.Normalization ?? PixelNormalization.ImageNet;
        using var scaling = new PixelScaling([.. normalization.Mean], [.. normalization.Deviation], CPU);
        var transform = HeadTransform.Whole(Size);
        var features = FrozenFeatures.Extract(
            [new EncoderFeatures("e", encoder, scaling, new EncoderOutput(), Size, "")], _scenes, transform.ToTransform(),
            FittedHead.BatchSize, cancellation: TestContext.Current.CancellationToken)[0];
        string?[] texts = [.. Enumerable.Range(0, _scenes.Count).Select(i => i % 2 == 0 ? "even" : "odd")];
        var images = HeadImages.Of(_scenes, features, texts, ["even", "odd"]);
        var fitted = HeadFitting.OfClasses(images, null, [HeadMethod.Frozen(kind, 0)], 0, cancellation: TestContext.Current.CancellationToken);
        var kept = embed
            ? KeptEncoder.Embedded(weights, opened.Evaluated, encoder, normalization)
            : KeptEncoder.Referenced(weights, opened.Evaluated, encoder, normalization);
        HeadFolder.Write(_folder["head"], fitted, ["even", "odd"], kept, new HeadFeatures(features.Matrix.Width, 1, "auto"), transform);
        return (fitted, features.Matrix);
    }

    private static void Says(string part, Func<FittedHead> open)
    {
        var mistake = Assert.Throws<JepaException>(open);
        Assert.Contains(part, mistake.Message, StringComparison.Ordinal);
        Assert.True(mistake.IsUsage);
    }
}
