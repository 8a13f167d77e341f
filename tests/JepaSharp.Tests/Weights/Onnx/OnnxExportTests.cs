using JepaSharp.Evaluation.Embeddings;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using JepaSharp.Weights.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace JepaSharp.Tests.Weights.Onnx;

/// <summary>What ONNX Runtime computes from our files is what our encoders compute.</summary>
public sealed class OnnxExportTests : IDisposable
{
    private const float Tolerance = 1e-5f;

    private static readonly VisionTransformerShape Plain = new()
    {
        ImageHeight = 32,
        ImageWidth = 32,
        PatchSize = 8,
        Width = 48,
        Depth = 3,
        Heads = 3,
        MlpWidth = 96,
    };

    private static readonly Dictionary<string, VisionTransformerShape> Shapes = new()
    {
        ["plain"] = Plain,
        ["oblong"] = Plain with { ImageWidth = 48 },
        ["gray"] = Plain with { Channels = 1 },
        ["class token"] = Plain with { ClassToken = true },
        ["learned positions"] = Plain with { LearnedPositions = true, ClassToken = true, Resizing = PositionResizing.BicubicAntialiased },
        ["learned positions, offset"] = Plain with { LearnedPositions = true, ClassToken = true, Resizing = PositionResizing.BicubicOffset },
        ["no positions"] = Plain with { AbsolutePositions = false },
        ["layer scale"] = Plain with { LayerScale = true, ClassToken = true },
        ["relative positions"] = Plain with
        {
            ClassToken = true,
            AbsolutePositions = false,
            RelativePositions = true,
            LayerScale = true,
            KeyBias = false,
            MaskToken = true,
        },
        ["both positions"] = Plain with { ClassToken = true, RelativePositions = true, LearnedPositions = true, KeyBias = false },
    };

    private static readonly Dictionary<OnnxPooling, EncoderOutput> Outputs = new()
    {
        [OnnxPooling.Usual] = new EncoderOutput(),
        [OnnxPooling.Mean] = new EncoderOutput { AveragesPatches = true },
        [OnnxPooling.ClassToken] = new EncoderOutput { TakesClassToken = true },
        [OnnxPooling.ClassTokenUnnormed] = new EncoderOutput { TakesClassToken = true, IsUnnormed = true },
        [OnnxPooling.SideBySide] = new EncoderOutput { Together = ClassAndMean.SideBySide },
        [OnnxPooling.Interleaved] = new EncoderOutput { Together = ClassAndMean.Interleaved },
        [OnnxPooling.Patches] = new EncoderOutput(Pooled: false),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Kinds => [.. Shapes.Keys];

    public static TheoryData<string> ResizableKinds => [.. Shapes.Keys.Where(kind => !Shapes[kind].RelativePositions)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void File_OfEveryKindOfEncoder_GivesOurNumbers(string kind)
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(Shapes[kind]);
        foreach (var (pooling, output) in Outputs.Where(pair => encoder.Shape.ClassToken || !NeedsClassToken(pair.Key)))
        {
            var path = _folder[$"{pooling}.onnx"];
            _ = OnnxExport.Write(encoder, Normalization(encoder), new OnnxOptions { Pooling = pooling }, path);
            foreach (var batch in (int[])[1, 3]) Compare(encoder, output, path, Images(encoder.Shape, batch), $"{kind}, {pooling}, {batch}");
        }
    }

    [Theory]
    [MemberData(nameof(ResizableKinds))]
    public void File_ForAnySize_ResizesPositionsAsWeDo(string kind)
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(Shapes[kind]);
        _ = OnnxExport.Write(encoder, Normalization(encoder), new OnnxOptions { TakesAnySize = true }, _folder["any.onnx"]);
        foreach (var (height, width) in ((int, int)[])[(32, 32), (32, 48), (64, 64), (24, 16), (104, 56), (8, 8)])
            Compare(
                encoder, new EncoderOutput(), _folder["any.onnx"], Images(encoder.Shape with { ImageHeight = height, ImageWidth = width }, 2),
                $"{kind}, {height}x{width}");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void File_ForAnotherSize_GivesOurNumbers(string kind)
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(Shapes[kind]);
        _ = OnnxExport.Write(encoder, Normalization(encoder), new OnnxOptions { Side = 56 }, _folder["other.onnx"]);
        Compare(
            encoder, new EncoderOutput(), _folder["other.onnx"], Images(encoder.Shape with { ImageHeight = 56, ImageWidth = 56 }, 2), kind);
    }

    [Fact]
    public void File_ForAnySize_RefusesSidesThatAreNoMultiplesOfThePatch()
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(Plain);
        _ = OnnxExport.Write(encoder, Normalization(encoder), new OnnxOptions { TakesAnySize = true }, _folder["any.onnx"]);
        var error = Assert.Throws<OnnxRuntimeException>(
            () => Run(_folder["any.onnx"], Images(Plain with { ImageHeight = 36 }, 1)));
        Assert.Contains("sides_must_be_multiples_of_8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_ThatNormalizes_TakesPixelsFromZeroToOne()
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(Plain);
        _ = OnnxExport.Write(encoder, PixelNormalization.ImageNet, new OnnxOptions { NormalizesInside = true }, _folder["a.onnx"]);
        var pixels = Images(Plain, 2).sigmoid();
        var normalized = pixels.sub(tensor([0.485f, 0.456f, 0.406f]).view(1, 3, 1, 1)).div(tensor([0.229f, 0.224f, 0.225f]).view(1, 3, 1, 1));
        AssertClose(new EncoderOutput().Of(encoder, normalized), Run(_folder["a.onnx"], pixels)[OnnxExport.Features], "normalised inside");
        Assert.Equal("rgb 0 to 1", Texts(_folder["a.onnx"])["input"]);
    }

    [Fact]
    public void File_WithAHead_GivesItsProbabilitiesBesideTheFeatures()
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(Plain);
        float[] weight = [.. randn(2, 48).data<float>()], bias = [0.25f, -0.5f], mean = [.. randn(48).data<float>()];
        float[] scale = [.. rand(48).add(ones(48)).data<float>()];
        var head = new OnnxHead(["cat", "ein \"Hund\""], weight, bias) { Mean = mean, Scale = scale, Temperature = 1.75 };
        _ = OnnxExport.Write(encoder, Normalization(encoder), new OnnxOptions { Head = head }, _folder["head.onnx"]);
        var images = Images(Plain, 3);
        var given = Run(_folder["head.onnx"], images);
        var features = new EncoderOutput().Of(encoder, images);
        AssertClose(features, given[OnnxExport.Features], "features");
        var logits = features.sub(tensor(mean)).div(tensor(scale)).matmul(tensor(weight, [2, 48]).t()).add(tensor(bias));
        AssertClose(logits.div(tensor(1.75f)).softmax(1), given[OnnxExport.Probabilities], "probabilities");
        Assert.Equal("""["cat","ein \"Hund\""]""", Texts(_folder["head.onnx"])["classes"]);
    }

    [Fact]
    public void File_OfMoreThanFitsIntoOne_HasItsWeightsBesideIt()
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(Shapes["relative positions"]);
        var files = OnnxExport.Write(encoder, Normalization(encoder), new OnnxOptions(), _folder["large.onnx"], largestInside: 10_000);
        Assert.Equal([_folder["large.onnx"], _folder["large.onnx.data"]], files);
        Assert.True(new FileInfo(files[0]).Length < 100_000);
        Compare(encoder, new EncoderOutput(), files[0], Images(encoder.Shape, 2), "beside");
    }

    [Fact]
    public void File_SaysWhatAProgramMustKnow()
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(Shapes["class token"]);
        var told = new Dictionary<string, string> { ["license"] = "CC0", ["transform"] = "squash" };
        _ = OnnxExport.Write(encoder, PixelNormalization.ImageNet, new OnnxOptions { Side = 40, Texts = told }, _folder["a.onnx"]);
        using var session = Session(_folder["a.onnx"]);
        var texts = session.ModelMetadata.CustomMetadataMap;
        foreach (var (key, value) in ((string, string)[])
        [
            ("image_height", "40"), ("patch_size", "8"), ("normalization_mean", "0.485 0.456 0.406"), ("normalization_std", "0.229 0.224 0.225"),
            ("input", "rgb normalized"), ("pooling", "class"), ("width", "48"), ("depth", "3"), ("heads", "3"), ("class_token", "true"),
            ("license", "CC0"), ("transform", "squash"), ("format", "jepasharp"),
        ])
            Assert.Equal(value, texts[key]);
        Assert.Equal("JepaSharp", session.ModelMetadata.ProducerName);
        Assert.Equal([-1, 3, 40, 40], session.InputMetadata[OnnxExport.Pixels].Dimensions);
        Assert.Equal("batch", session.InputMetadata[OnnxExport.Pixels].SymbolicDimensions[0]);
        Assert.Equal([-1, 48], session.OutputMetadata[OnnxExport.Features].Dimensions);
    }

    [Fact]
    public void Encoder_ThatCannotBeWrittenAsAsked_IsRefusedInASentence()
    {
        using var scope = NewDisposeScope();
        using var encoder = Encoder(Plain);
        using var relative = Encoder(Shapes["relative positions"]);
        var head = new OnnxHead(["a", "b"], new float[96], new float[2]);
        foreach (var (of, options, words) in ((VisionTransformer, OnnxOptions, string)[])
        [
            (relative, new OnnxOptions { TakesAnySize = true }, "Give one size instead"),
            (encoder, new OnnxOptions { Side = 36 }, "no whole number of 8-pixel patches"),
            (encoder, new OnnxOptions { Side = 40, TakesAnySize = true }, "expected one of them"),
            (encoder, new OnnxOptions { Pooling = OnnxPooling.Interleaved }, "has none"),
            (encoder, new OnnxOptions { Head = head, Pooling = OnnxPooling.Patches }, "a vector for each patch"),
            (encoder, new OnnxOptions { Head = head with { Bias = new float[3] } }, "3 biases"),
            (encoder, new OnnxOptions { Head = head with { Weight = new float[100] } }, "expected 48 weights"),
            (encoder, new OnnxOptions { Head = head with { Scale = new float[48] } }, "not positive"),
            (encoder, new OnnxOptions { Head = head with { Temperature = 0 } }, "temperature is 0"),
            (encoder, new OnnxOptions { Head = head with { Mean = new float[4] } }, "standardises 4"),
            (encoder, new OnnxOptions { Head = head with { Bias = [float.NaN, 0] } }, "not finite"),
        ])
        {
            var error = Assert.Throws<JepaException>(() => OnnxExport.Write(of, Normalization(of), options, _folder["no.onnx"]));
            Assert.Contains(words, error.Message, StringComparison.Ordinal);
            Assert.True(error.IsUsage);
        }

        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    private static bool NeedsClassToken(OnnxPooling pooling) => pooling is OnnxPooling.ClassToken or OnnxPooling.ClassTokenUnnormed
        or OnnxPooling.SideBySide or OnnxPooling.Interleaved;

    /// <summary>Weights that make every part count, biases and scales too.</summary>
    private static VisionTransformer Encoder(VisionTransformerShape shape)
    {
        var encoder = new VisionTransformer(shape);
        Initialization.Initialize(encoder, 1, 0);
        using var untracked = no_grad();
        using var generator = new Generator(7, CPU);
        foreach (var (name, parameter) in encoder.named_parameters())
        {
            if (parameter.dim() < 2 || name.Contains("token", StringComparison.Ordinal) || name.Contains("pos", StringComparison.Ordinal))
                _ = parameter.add_(randn(parameter.shape, generator: generator).mul(tensor(0.2f)), alpha: 1);
        }

        return encoder;
    }

    private static PixelNormalization Normalization(VisionTransformer encoder) => encoder.Shape.Channels == 3
        ? PixelNormalization.ImageNet
        : new PixelNormalization([0.5], [0.25]);

    private static Tensor Images(VisionTransformerShape shape, int count)
    {
        using var generator = new Generator(3, CPU);
        return randn([count, shape.Channels, shape.ImageHeight, shape.ImageWidth], generator: generator);
    }

    private static InferenceSession Session(string path)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        return new InferenceSession(path, options);
    }

    private static Dictionary<string, string> Texts(string path)
    {
        using var session = Session(path);
        return session.ModelMetadata.CustomMetadataMap;
    }

    private static Dictionary<string, DenseTensor<float>> Run(string path, Tensor images)
    {
        using var session = Session(path);
        var input = new DenseTensor<float>(images.data<float>().ToArray(), [.. images.shape.Select(size => (int)size)]);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor(OnnxExport.Pixels, input)]);
        return results.ToDictionary(result => result.Name, result => result.AsTensor<float>().ToDenseTensor());
    }

    private static void Compare(VisionTransformer encoder, EncoderOutput output, string path, Tensor images, string about) =>
        AssertClose(output.Of(encoder, images), Run(path, images)[OnnxExport.Features], about);

    private static void AssertClose(Tensor ours, DenseTensor<float> theirs, string about)
    {
        Assert.Equal(string.Join(' ', ours.shape), string.Join(' ', theirs.Dimensions.ToArray()));
        var worst = ours.data<float>().Zip(theirs.ToArray(), (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst <= Tolerance, $"{about}: {worst:R}");
    }
}
