using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Tests.Data;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Evaluation.Embeddings;

/// <summary>Two jobs never write one output, and a job that goes on goes on with what it began with.</summary>
public sealed class EmbeddingClaimTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly VisionTransformer _encoder;
    private readonly PixelScaling _scaling = new([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], CPU);

    public EmbeddingClaimTests()
    {
        _encoder = new VisionTransformer(
            new VisionTransformerShape { ImageHeight = 16, ImageWidth = 16, PatchSize = 8, Width = 12, Depth = 1, Heads = 3, MlpWidth = 24 });
        Initialization.Initialize(_encoder, seed: 1, stream: 0);
        Directory.CreateDirectory(_folder["images"]);
        for (var i = 0; i < 12; i++) Write(i, kind: i);
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _scaling.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Job_WhileAnotherWritesTheSameOutput_IsRefusedAndTheFirstIsWhole()
    {
        using var source = Images();
        Run(source, _folder["alone.npy"]);
        var refused = "";
        var paths = new EmbeddingPaths(_folder["e.npy"], EmbeddingFormat.Npy);
        var progress = new Each(() => refused = Assert.Throws<JepaException>(() => new EmbeddingJob(Request(source), paths)).Message);
        new EmbeddingJob(Request(source), EmbeddingPaths.Of(_folder["e.npy"])).Run(progress, TestContext.Current.CancellationToken);
        Assert.Contains("Another process is embedding into", refused, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(_folder["alone.npy"]), File.ReadAllBytes(_folder["e.npy"]));
        Assert.False(File.Exists(_folder["e.npy.lock"]));
        Assert.Contains("exists and is not overwritten", Assert.Throws<JepaException>(() => paths.Claim()).Message);
    }

    [Fact]
    public void Job_ThatGoesOnAfterAnImageWasReplaced_IsRefused()
    {
        using (var source = Images()) StopEarly(source);
        Write(0, kind: 20);
        using var again = Images();
        Assert.Contains("a file was replaced", Refused(again), StringComparison.Ordinal);
    }

    [Fact]
    public void Job_ThatGoesOnWithWeightsOfWhichOneMatrixIsAnother_IsRefused()
    {
        using var source = Images();
        StopEarly(source);
        using (no_grad()) _ = _encoder.named_parameters().First(p => p.name == "blocks.0.mlp.fc1.weight").parameter.zero_();
        Assert.Contains("weights was", Refused(source), StringComparison.Ordinal);
    }

    [Fact]
    public void Safetensors_OfAStoppedJob_HaveTheChecksumOfTheWhole()
    {
        using var source = Images();
        Run(source, _folder["alone.safetensors"]);
        StopEarly(source, "e.safetensors");
        Run(source, _folder["e.safetensors"]);
        Assert.Equal(File.ReadAllBytes(_folder["alone.safetensors"]), File.ReadAllBytes(_folder["e.safetensors"]));
        var bytes = File.ReadAllBytes(_folder["e.safetensors"]);
        using (var file = SafetensorsFile.Open(_folder["e.safetensors"])) file.Read("features").Dispose();
        bytes[^5] ^= 1;
        File.WriteAllBytes(_folder["e.safetensors"], bytes);
        using var damaged = SafetensorsFile.Open(_folder["e.safetensors"]);
        Assert.Contains("not what was written", Assert.Throws<WeightsFileException>(() => damaged.Read("features")).Message);
    }

    private string Refused(ImageSource source) =>
        Assert.Throws<JepaException>(() => new EmbeddingJob(Request(source), EmbeddingPaths.Of(_folder["e.npy"]))).Message;

    private void StopEarly(ImageSource source, string name = "e.npy")
    {
        using var stop = new CancellationTokenSource();
        var end = new EmbeddingJob(Request(source), EmbeddingPaths.Of(_folder[name])).Run(new Each(stop.Cancel), stop.Token);
        Assert.False(end.Finished);
    }

    private void Run(ImageSource source, string path) =>
        new EmbeddingJob(Request(source), EmbeddingPaths.Of(path)).Run(stop: TestContext.Current.CancellationToken);

    private EmbeddingRequest Request(ImageSource source) => new()
    {
        Encoder = _encoder,
        Source = source,
        Address = _folder["images"],
        Scaling = _scaling,
        Transform = EvaluationTransform.Squash(16),
        BatchSize = 4,
    };

    private ImageSource Images() => ImageSources.Open(_folder["images"]);

    private void Write(int index, int kind)
    {
        var picture = EncodedImages.Picture(16 + (kind > 12 ? 1 : 0), 16, kind);
        File.WriteAllBytes(Path.Combine(_folder["images"], $"{index:D2}.png"), EncodedImages.Png(picture));
    }

    private sealed class Each(Action act) : IProgress<int>
    {
        public void Report(int value) => act();
    }
}
