using System.Buffers.Binary;
using System.IO.Hashing;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Evaluation;
using JepaSharp.Models;
using JepaSharp.Service;
using JepaSharp.Tests.Data;
using JepaSharp.Weights;
using JepaSharp.Weights.Onnx;
using Microsoft.AspNetCore.Builder;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Samples;

/// <summary>The sample service, started once: what it answers is what our encoder says, and rubbish is refused in a sentence.</summary>
public sealed class ServiceTests(ServiceTests.Started service) : IClassFixture<ServiceTests.Started>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Embed_OfImages_GivesWhatOurEncoderSays()
    {
        foreach (var (name, bytes) in service.Images)
        {
            using var answer = await service.Post("/embed", bytes, "image/jpeg");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            var json = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
            float[] theirs = [.. json.GetProperty("features").EnumerateArray().Select(number => number.GetSingle())];
            var ours = service.OurFeatures(name);
            Assert.Equal(ours.Length, theirs.Length);
            var worst = ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max();
            Assert.True(worst < 0.02, $"{name}: {worst}");
        }
    }

    [Fact]
    public async Task Classify_OfAnImage_GivesItsClassesLikeliestFirst()
    {
        using var answer = await service.Post("/classify", service.Images["a.jpg"], "image/jpeg");
        var classes = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("classes").EnumerateArray().ToList();
        Assert.Equal(["cat", "dog", "other"], classes.Select(c => c.GetProperty("class").GetString()!).Order());
        var probabilities = classes.Select(c => c.GetProperty("probability").GetSingle()).ToList();
        Assert.Equal(probabilities.OrderDescending(), probabilities);
        Assert.Equal(1, probabilities.Sum(), 4);
    }

    public static TheoryData<string, int, string> Rubbish => new()
    {
        { "text", 415, "no JPEG, PNG or WebP" },
        { "empty", 400, "empty" },
        { "gif", 415, "no JPEG, PNG or WebP" },
        { "cut short", 422, "damaged" },
        { "too many pixels", 422, "at most 40 million" },
        { "too large", 413, "more than 10 MB" },
        { "a form", 415, "said to be multipart/form-data" },
        { "json", 415, "said to be application/json" },
        { "zip", 415, "no JPEG, PNG or WebP" },
        { "all sides zero", 415, "no JPEG, PNG or WebP" },
        { "cut-short PNG", 422, "damaged" },
        { "cut-short JPEG", 422, "damaged" },
    };

    [Theory]
    [MemberData(nameof(Rubbish))]
    public async Task Upload_ThatIsNoGoodImage_IsRefusedInASentence(string kind, int status, string said)
    {
        var (bytes, type) = service.RubbishOf(kind);
        using var answer = await service.Post("/embed", bytes, type);
        Assert.Equal(status, (int)answer.StatusCode);
        var sentence = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString()!;
        Assert.Contains(said, sentence, StringComparison.Ordinal);
        Assert.EndsWith(".", sentence, StringComparison.Ordinal);
        using var next = await service.Post("/embed", service.Images["a.jpg"], "image/jpeg");
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    /// <summary>Senders that never end hold every place and fill the queue: one more is told at once to come again, and when they have gone the
    /// service serves again.</summary>
    [Fact]
    public async Task Upload_WhenAllPlacesAreTaken_IsToldToComeAgain()
    {
        const int Waiting = 64, Spare = 16;
        var address = service.Browser.BaseAddress!;
        var head = Encoding.ASCII.GetBytes(
            $"POST /embed HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: image/jpeg\r\nContent-Length: 5000\r\n\r\n");
        TcpClient[] senders = [.. Enumerable.Range(0, Environment.ProcessorCount + Waiting + Spare).Select(_ => new TcpClient())];
        try
        {
            foreach (var sender in senders)
            {
                await sender.ConnectAsync(address.Host, address.Port, Cancellation);
                await sender.GetStream().WriteAsync(head, Cancellation);
            }

            var answers = senders.Select(async sender =>
            {
                var answer = new byte[1000];
                return Encoding.ASCII.GetString(answer, 0, await sender.GetStream().ReadAsync(answer, Cancellation));
            }).ToList();
            string said;
            do
            {
                var first = await Task.WhenAny(answers);
                answers.Remove(first);
                said = await first;
            }
            while (!said.StartsWith("HTTP/1.1 503", StringComparison.Ordinal) && answers.Count > 0);
            Assert.StartsWith("HTTP/1.1 503", said, StringComparison.Ordinal);
            Assert.Contains("Retry-After: 1", said, StringComparison.Ordinal);
        }
        finally
        {
            foreach (var sender in senders) sender.Dispose();
        }

        using var next = await service.Post("/embed", service.Images["a.jpg"], "image/jpeg");
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public async Task Description_SaysWhatTheModelIs()
    {
        var json = await service.Browser.GetFromJsonAsync<JsonElement>("/", Cancellation);
        Assert.Equal(("encoder.onnx", 32, 48), (json.GetProperty("model").GetString(), json.GetProperty("imageSize").GetInt32(),
            json.GetProperty("width").GetInt32()));
        Assert.Equal("CC0", json.GetProperty("metadata").GetProperty("license").GetString());
    }

    [Theory]
    [InlineData("paper")]
    [InlineData("squash")]
    public void Transform_OfImagesOfManySizes_IsOursToALevel(string how)
    {
        var texts = new Dictionary<string, string>
        {
            ["image_height"] = "32",
            ["image_width"] = "32",
            ["channels"] = "3",
            ["input"] = "rgb 0 to 1",
            ["transform"] = how,
        };
        var theirs = ImageTransform.Of(texts, "x");
        var ours = how == "paper" ? EvaluationTransform.CenterCrop(32) : EvaluationTransform.Squash(32);
        foreach (var (name, bytes) in service.Images)
        {
            var square = theirs.Square(UploadedImage.Decode(bytes));
            var pixels = service.Read(name, ours);
            var differences = pixels.Zip(square, (a, b) => Math.Abs(a - b)).ToList();
            Assert.True(differences.Max() <= 1 && differences.Average() < 0.05, $"{name}: {differences.Max()}, {differences.Average()}");
        }
    }

    [Theory]
    [InlineData("none.onnx", "does not exist")]
    [InlineData("rubbish.onnx", "cannot be loaded")]
    [InlineData("patches.onnx", "without --pool none")]
    [InlineData("any.onnx", "export it with --size N")]
    public void Model_ThatIsNoUse_IsRefusedInASentence(string name, string said)
    {
        var error = Assert.Throws<ModelUnusableException>(() => new EncoderModel(service.Folder[name]));
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    /// <summary>The service, on a free port of the loopback address.</summary>
    public sealed class Started : IAsyncLifetime, IDisposable
    {
        private static readonly VisionTransformerShape Shape = new()
        {
            ImageHeight = 32,
            ImageWidth = 32,
            PatchSize = 8,
            Width = 48,
            Depth = 2,
            Heads = 3,
            MlpWidth = 96,
        };

        private readonly VisionTransformer _encoder = new(Shape);
        private WebApplication? _app;

        public Dictionary<string, byte[]> Images { get; } = new()
        {
            ["a.jpg"] = EncodedImages.Jpeg(EncodedImages.Picture(70, 64)),
            ["b.png"] = EncodedImages.Png(EncodedImages.Noise(31, 90, 1)),
            ["c.webp"] = EncodedImages.WebP(EncodedImages.Picture(200, 120, 2)),
            ["d.jpg"] = EncodedImages.Jpeg(EncodedImages.Noise(33, 32, 4)),
            ["e.png"] = EncodedImages.Png(EncodedImages.Noise(9, 5, 5)),
        };

        public HttpClient Browser { get; } = new();

        internal TemporaryFolder Folder { get; } = new();

        public async ValueTask InitializeAsync()
        {
            var upright = EncodedImages.Jpeg(EncodedImages.Picture(61, 40, 1));
            for (var orientation = 1; orientation <= 8; orientation++)
                Images[$"o{orientation}.jpg"] = EncodedImages.WithOrientation(upright, orientation);
            Initialization.Initialize(_encoder, 1, 0);
            var normalization = PixelNormalization.ImageNet;
            var head = new OnnxHead(["cat", "dog", "other"], [.. Enumerable.Range(0, 144).Select(i => MathF.Sin(i))], [0, 0.1f, 0]);
            var texts = new Dictionary<string, string> { ["transform"] = "paper", ["license"] = "CC0" };
            _ = OnnxExport.Write(
                _encoder, normalization, new OnnxOptions { NormalizesInside = true, Head = head, Texts = texts }, Folder["encoder.onnx"]);
            _ = OnnxExport.Write(_encoder, normalization, new OnnxOptions { Pooling = OnnxPooling.Patches }, Folder["patches.onnx"]);
            _ = OnnxExport.Write(_encoder, normalization, new OnnxOptions { TakesAnySize = true }, Folder["any.onnx"]);
            await File.WriteAllTextAsync(Folder["rubbish.onnx"], "rubbish");
            Directory.CreateDirectory(Folder["images"]);
            foreach (var (name, bytes) in Images) await File.WriteAllBytesAsync(Folder["images/" + name], bytes);
            _app = EncoderService.Build(["--model", Folder["encoder.onnx"], "--urls", "http://127.0.0.1:0", "--Logging:LogLevel:Default", "Error"]);
            await _app.StartAsync();
            Browser.BaseAddress = new Uri(_app.Urls.Single());
        }

        public Task<HttpResponseMessage> Post(string address, byte[] bytes, string type)
        {
            var content = new ByteArrayContent(bytes);
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            return Browser.PostAsync(new Uri(address, UriKind.Relative), content, Cancellation);
        }

        public (byte[] Bytes, string Type) RubbishOf(string kind) => kind switch
        {
            "text" => ("not an image at all"u8.ToArray(), "image/jpeg"),
            "empty" => ([], "image/png"),
            "gif" => ([.. "GIF89a"u8, 1, 0, 1, 0, 0, 0, 0, 0x3b], "application/octet-stream"),
            "cut short" => (Images["c.webp"][..^200], "image/webp"),
            "cut-short PNG" => (Images["b.png"][..^1000], "image/png"),
            "cut-short JPEG" => (Images["a.jpg"][..^200], "image/jpeg"),
            "zip" => ([.. "PK\u0003\u0004"u8, .. new byte[100]], "application/octet-stream"),
            "all sides zero" => (OfSides(Images["b.png"], 0, 0), "image/png"),
            "too many pixels" => (OfSides(Images["b.png"], 20_001, 2000), "image/png"),
            "too large" => (new byte[(10 << 20) + 1], "image/jpeg"),
            "a form" => (Images["a.jpg"], "multipart/form-data"),
            _ => ("{}"u8.ToArray(), "application/json"),
        };

        public float[] OurFeatures(string name)
        {
            using var source = ImageSources.Open(Folder["images"]);
            using var scaling = new PixelScaling([.. PixelNormalization.ImageNet.Mean], [.. PixelNormalization.ImageNet.Deviation], CPU);
            var pooled = new FeatureExtractor(scaling, EvaluationTransform.CenterCrop(32), CPU).Pooled(
                _encoder, source, [IndexOf(source, name)], cancellation: Cancellation);
            return pooled.Matrix.Row(0).ToArray();
        }

        public byte[] Read(string name, EvaluationTransform transform)
        {
            using var source = ImageSources.Open(Folder["images"]);
            return new ImageReader(source, transform, 1).Read([IndexOf(source, name)], Cancellation).Single().Pixels[..(32 * 32 * 3)];
        }

        public async ValueTask DisposeAsync()
        {
            if (_app is not null) await _app.DisposeAsync();
            Dispose();
        }

        public void Dispose()
        {
            Browser.Dispose();
            _encoder.Dispose();
            Folder.Dispose();
        }

        /// <summary>A PNG whose header tells of other sides.</summary>
        private static byte[] OfSides(byte[] png, int width, int height)
        {
            byte[] changed = [.. png];
            const int Type = 12, Width = 16, Height = 20, Checksum = 29;
            BinaryPrimitives.WriteInt32BigEndian(changed.AsSpan(Width), width);
            BinaryPrimitives.WriteInt32BigEndian(changed.AsSpan(Height), height);
            BinaryPrimitives.WriteUInt32BigEndian(changed.AsSpan(Checksum), Crc32.HashToUInt32(changed.AsSpan(Type, Checksum - Type)));
            return changed;
        }

        private static int IndexOf(ImageSource source, string name) =>
            Enumerable.Range(0, source.Count).Single(i => source.NameOf(i).EndsWith(name, StringComparison.Ordinal));
    }
}
