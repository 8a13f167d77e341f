using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Tests.Data;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Cli;

/// <summary><c>jepa embed</c>, <c>export</c>, <c>inspect</c> and <c>pretrain --init</c>, and what a newcomer does wrong with them.</summary>
public sealed class WeightsVerbsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _out = new(), _error = new();
    private readonly StopSignals _stop = new(_ => { });

    public WeightsVerbsTests()
    {
        foreach (var (name, kind) in (ReadOnlySpan<(string, int)>)[("cats/a,1.png", 0), ("cats/b.png", 1), ("dogs/c.png", 2)])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder["images/" + name])!);
            File.WriteAllBytes(_folder["images/" + name], EncodedImages.Png(EncodedImages.Picture(70, 64, kind)));
        }
    }

    private static string Checkpoint => Fixtures.PathOf("nano/checkpoint.pth.tar");

    private static string HuggingFace => Fixtures.PathOf("nano/hf");

    private string Images => _folder["images"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Embed_OfAFolderWithClasses_CarriesNamesAndLabelsAlong()
    {
        Assert.Equal(0, Run("embed", "--weights", HuggingFace, "--data", Images, "--out", _folder["a.csv"]));
        var lines = File.ReadAllLines(_folder["a.csv"]);
        Assert.StartsWith("name,label,class,f0,", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("\"cats/a,1.png\",0,cats,", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("dogs/c.png,1,dogs,", lines[3], StringComparison.Ordinal);
        Assert.Contains("3 images, float32 [3, 48]", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Embed_PerPatchOfAnotherSizeAndTheContextEncoder_HasItsShape()
    {
        Assert.Equal(0, Run("embed", "--weights", Checkpoint, "--heads", "3", "--encoder", "context", "--data", Images, "--out", _folder["a.safeten"
            + "sors"],
            "--pool", "none", "--size", "48", "--transform", "squash", "--batch", "2", "--precision", "bf16"));
        using var file = SafetensorsFile.Open(_folder["a.safetensors"]);
        Assert.Equal([3L, 36, 48], file.Tensors["features"].Shape);
        Assert.Equal(("context", "bf16"), (file.Metadata["encoder"], file.Metadata["precision"]));
    }

    [Fact]
    public void Embed_StoppedBySignal_ReturnsItsCodeAndGoesOnLater()
    {
        string[] line = ["embed", "--weights", HuggingFace, "--data", Images, "--out", _folder["a.npy"], "--batch", "1"];
        _stop.Receive(130);
        Assert.Equal(130, Run(line));
        Assert.Contains("stopped after 1 image; the same command goes on from there", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, CommandLine.Run(line, new Terminal(_out, _error), new StopSignals(_ => { })));
        Assert.Contains("going on after image 1 of an earlier run", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("3 images, float32 [3, 48]", _out.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("safetensors", "out.safetensors", "context encoder, predictor, target encoder")]
    [InlineData("huggingface", "out", "target encoder")]
    public void Export_OfAPublishedCheckpoint_CanBeInspected(string format, string name, string networks)
    {
        Assert.Equal(0, Run("export", "--weights", Checkpoint, "--heads", "3", "--to", format, "--out", _folder[name]));
        Assert.Contains($"{_folder[name]}: {networks}", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("ImageNet", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, Run("inspect", _folder[name]));
        Assert.Contains("48 wide, 2 blocks, 3 heads, MLP 192", _out.ToString(), StringComparison.Ordinal);
        Assert.Contains("mean 0.485 0.456 0.406", _out.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, Run("export", "--weights", Checkpoint, "--heads", "3", "--to", format, "--out", _folder[name]));
        Assert.Contains("is not overwritten", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "[batch, 3, 64, 64], from 0 to 1 -> features [batch, 48]")]
    [InlineData("--size any --normalize outside --pool none", "[batch, 3, height, width], normalised -> features [batch, patches, 48]")]
    [InlineData("--size 96 --encoder context --license CC0", "[batch, 3, 96, 96]")]
    public void Export_ToOnnx_SaysWhatTheFileTakesAndGives(string options, string said)
    {
        var path = _folder["out.onnx"];
        string[] line = ["export", "--weights", Checkpoint, "--heads", "3", "--to", "onnx", "--out", path,
            .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        Assert.True(Run(line) == 0, _error.ToString());
        Assert.Contains(said, _out.ToString(), StringComparison.Ordinal);
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(path);
        var texts = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(("checkpoint.pth.tar", "paper"), (texts["source"], texts["transform"]));
        Assert.Equal(2, Run(line));
        Assert.Contains("is not overwritten", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--size 60", "no whole number of 8-pixel patches")]
    [InlineData("--pool class", "has no class token")]
    public void Export_ToOnnxOfWhatCannotBe_LeavesNothingBehind(string options, string said)
    {
        Assert.Equal(2, Run(["export", "--weights", Checkpoint, "--heads", "3", "--to", "onnx", "--out", _folder["o.onnx"], .. options.Split(' ')]));
        Assert.Contains(said, _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public void Inspect_OfTroubledWeights_WarnsOfEverything()
    {
        using var scope = NewDisposeScope();
        using var initial = SafetensorsFile.Open(Fixtures.PathOf("nano/initial.safetensors"));
        var changed = initial.Tensors.Where(pair => !pair.Key.StartsWith("predictor.", StringComparison.Ordinal)
            && pair.Key != "encoder.norm.bias").ToDictionary();
        changed["encoder.blocks.0.mlp.fc1.bias"] = LazyTensor.Of(full(192, float.PositiveInfinity));
        changed["encoder.norm.weight"] = LazyTensor.Of(zeros(48));
        changed["head.weight"] = LazyTensor.Of(zeros(1));
        SafetensorsWriter.Write(_folder["w.safetensors"], [.. changed]);
        Assert.Equal(0, Run("inspect", _folder["w.safetensors"]));
        foreach (var warning in (string[])["encoder.blocks.0.mlp.fc1.bias: 0 NaN and 192 infinite of 192",
            "1 tensor is all zeros: encoder.norm.weight",
            "there is no predictor", "1 weight is missing: encoder.norm.bias", "1 name means nothing here and is passed over: head.weight",
            "needs --heads N"])
            Assert.Contains(warning, _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_OfImages_SaysWhatTheyAre()
    {
        Assert.Equal(0, Run("inspect", Images));
        Assert.Contains("3 images, 2 classes", _out.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Pretrain_FromPublishedWeights_FollowsThemAndSaysWhatWasFound()
    {
        var run = _folder["run"];
        var code = Run("pretrain", "--init", HuggingFace, "--data", Images, "--out", run, "--max-steps", "1", "--precision", "fp32", "--set",
            "data.batch_size=2", "-q");
        Assert.True(code == 0, _error.ToString());
        Assert.Contains("target encoder: found; context encoder: not found, starts as a copy of it", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("predictor: not found", _error.ToString(), StringComparison.Ordinal);
        using var weights = PretrainedWeights.Open(run);
        using var published = PretrainedWeights.Open(HuggingFace);
        Assert.Equal(published.Encoder, weights.Encoder);
        Assert.Equal(PixelNormalization.ImageNet.Mean, weights.Normalization!.Mean);
        Assert.Equal(1, weights.Epoch);
        Assert.Equal(0, Run("inspect", run));
        Assert.Contains("AdamW, in optimizer.safetensors beside it", _out.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Mistakes => new()
    {
        { "embed --weights {dir}/none.pth --data {images} --out {dir}/a.npy", "nothing there" },
        { "embed --weights {images} --data {images} --out {dir}/a.npy", "a folder without weights" },
        { "embed --weights {dir}/broken.pth.tar --data {images} --out {dir}/a.npy", "broken.pth.tar" },
        { "embed --weights {dir}/cut.safetensors --data {images} --out {dir}/a.npy", "cut short" },
        { "embed --weights {hf} --data {dir}/nowhere --out {dir}/a.npy", "does not exist" },
        { "embed --weights {hf} --data {images} --out {dir}/a.txt", "'.txt', which is no format for embeddings" },
        { "embed --weights {hf} --data {images} --out {dir}/nowhere/a.npy", "There is no folder" },
        { "embed --weights {hf} --data {images} --out {dir}/taken.npy", "is not overwritten" },
        { "embed --weights {pth} --data {images} --out {dir}/a.npy", "--heads N" },
        { "embed --weights {pth} --heads 5 --data {images} --out {dir}/a.npy", "5 heads for a width of 48" },
        { "embed --weights {hf} --encoder context --data {images} --out {dir}/a.npy", "has no such encoder. It has: target" },
        { "embed --weights {hf} --data {images} --out {dir}/a.npy --size 30", "multiple of 8" },
        { "embed --weights {hf} --data {images} --out {dir}/a.npy --layers last4", "2 blocks" },
        { "embed --weights {hf} --data {images} --out {dir}/a.npy --batch 0", "--batch 0: expected at least 1" },
        { "embed --weights {hf} --data {images} --out {dir}/a.npy --pool max", "max" },
        { "embed --weights {hf} --data {images}", "--out" },
        { "export --weights {hf} --to safetensors --out {dir}/folder", ".safetensors" },
        { "export --weights {hf} --to tflite --out {dir}/a.tflite", "tflite" },
        { "export --weights {hf} --to safetensors --encoder context --out {dir}/a.safetensors", "has no such encoder. It has: target" },
        { "export --weights {pth} --to huggingface --out {dir}/a", "--heads N" },
        { "inspect {dir}/nowhere", "does not exist" },
        { "inspect {dir}/cut.safetensors", "cut short" },
        { "pretrain --init {dir}/none.pth --data {images} --out {dir}/r", "nothing there" },
        { "pretrain --init {pth} --data {images} --out {dir}/r", "--set meta.num_heads=N" },
        { "pretrain --init {hf} --data {images} --out {dir}/r --set meta.depth=3 --set data.batch_size=2", "blocks 2, the run has 3 (meta.depth)" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Mistake_OfANewcomer_IsOnePlainMessageAndExitCode2(string line, string said)
    {
        File.WriteAllText(_folder["broken.pth.tar"], "this is no checkpoint");
        File.WriteAllBytes(_folder["cut.safetensors"], File.ReadAllBytes(Fixtures.PathOf("nano/initial.safetensors"))[..^1000]);
        File.WriteAllText(_folder["taken.npy"], "");
        var before = Directory.GetFileSystemEntries(_folder.Path).Order().ToList();
        string[] words = [.. line.Split(' ').Select(word => word
            .Replace("{dir}", _folder.Path).Replace("{images}", Images).Replace("{hf}", HuggingFace).Replace("{pth}", Checkpoint))];
        Assert.Equal(2, Run(words));
        var message = _error.ToString();
        Assert.Contains(said, message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", message, StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder.Path).Order());
    }

    private int Run(params string[] arguments) => CommandLine.Run(arguments, new Terminal(_out, _error), _stop);
}
