using System.Buffers.Binary;
using System.Text;
using CsCheck;
using JepaSharp.Runtime;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Weights;

public sealed class SafetensorsTests : IDisposable
{
    private static readonly ScalarType[] Types =
    [
        ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Float64, ScalarType.Int64,
        ScalarType.Int32, ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Fixture_FromPyTorch_ReadsAsRecorded()
    {
        using var file = SafetensorsFile.Open(Fixture("nano/batches.safetensors"));
        using var images = file.Read("images.0");
        Assert.Equal([2, 3, 64, 64], images.shape);
        Assert.Equal(ScalarType.Float32, images.dtype);
        using var indices = file.Read("context_indices.0.0");
        Assert.Equal(ScalarType.Int64, indices.dtype);
        Assert.InRange(indices.max().item<long>(), 0, 63);
        // A little-endian float32 is four bytes of the file: an oracle without any of the reader's code.
        var raw = File.ReadAllBytes(file.Path);
        var header = BinaryPrimitives.ReadInt64LittleEndian(raw);
        var at = Encoding.UTF8.GetString(raw, 8, (int)header).Split("\"images.0\"")[1].Split("data_offsets\":[")[1].Split(',')[0];
        Assert.Equal(BitConverter.ToSingle(raw, (int)(8 + header + long.Parse(at))), images[0, 0, 0, 0].item<float>());
    }

    [Fact]
    public void Fixture_WrittenAgain_HasTheSameTensors()
    {
        using var original = SafetensorsFile.Open(Fixture("nano/initial.safetensors"));
        SafetensorsWriter.Write(_folder["copy"], [.. original.Tensors], new Dictionary<string, string> { ["epoch"] = "7", ["ünï"] = "a\"b\n" });
        using var copy = SafetensorsFile.Open(_folder["copy"]);
        Assert.Equal(original.Names, copy.Names);
        Assert.Equal("7", copy.Metadata["epoch"]);
        Assert.Equal("a\"b\n", copy.Metadata["ünï"]);
        foreach (var name in original.Names) Assert.True(SameBits(original.Tensors[name], copy.Tensors[name]), name);
        Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(copy.Path)) % 8);
        Assert.Equal(["copy"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Write_AnyTypesShapesAndBytes_ComesBackBitForBit()
    {
        var shape = Gen.Long[0, 4].Array[0, 4];
        var entry = Gen.Select(Gen.Int[0, Types.Length - 1], shape, Gen.Byte.Array[4 * 4 * 4 * 4 * 8]);
        Gen.Select(entry.Array[0, 6], Gen.String.Array[0, 2]).Sample((entries, texts) =>
        {
            using var scope = NewDisposeScope();
            var named = entries.Select((e, i) => KeyValuePair.Create($"t{i}", Filled(Types[e.Item1], e.Item2, e.Item3))).ToList();
            var metadata = texts.Select((text, i) => (text, i)).ToDictionary(pair => $"k{pair.i}", pair => WellFormed(pair.text));
            SafetensorsWriter.Write(_folder["any"], named, metadata);
            using var file = SafetensorsFile.Open(_folder["any"]);
            Assert.Equal(metadata, file.Metadata);
            Assert.Equal(named.Select(pair => pair.Key), file.Names);
            foreach (var (name, tensor) in named)
            {
                using var read = file.Read(name);
                Assert.Equal(tensor.dtype, read.dtype);
                Assert.Equal(tensor.shape, read.shape);
                if (tensor.numel() > 0) Assert.True(tensor.bytes.SequenceEqual(read.bytes));
            }
        }, iter: 200, threads: 1);
    }

    [Fact]
    public void Write_TransposedTensorWithGradient_StoresItsRowsAndLeavesItAlone()
    {
        using var scope = NewDisposeScope();
        var tensor = arange(6, ScalarType.Float32).reshape(2, 3).requires_grad_(true);
        SafetensorsWriter.Write(_folder["t"], [KeyValuePair.Create("t", tensor.t())]);
        using var file = SafetensorsFile.Open(_folder["t"]);
        Assert.Equal([0f, 3, 1, 4, 2, 5], file.Read("t").data<float>().ToArray());
        Assert.True(tensor.requires_grad);
        Assert.Equal(6, tensor.numel());
    }

    [Fact]
    public void Read_InsideAScope_BelongsToTheScope()
    {
        using var file = SafetensorsFile.Open(Fixture("nano/initial.safetensors"));
        Tensor inner, outer;
        using (NewDisposeScope())
        {
            inner = file.Read("encoder.norm.weight");
            outer = file.Read("encoder.norm.bias").DetachFromDisposeScope();
        }

        Assert.True(inner.IsInvalid);
        Assert.False(outer.IsInvalid);
        outer.Dispose();
    }

    [Fact]
    public void Write_FailingHalfWay_LeavesWhatWasThere()
    {
        var path = _folder["w"];
        File.WriteAllBytes(path, [1, 2, 3]);
        using var file = SafetensorsFile.Open(Fixture("nano/initial.safetensors"));
        var tensors = file.Tensors.ToList();
        file.Dispose();
        Assert.ThrowsAny<Exception>(() => SafetensorsWriter.Write(path, tensors));
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Write_IntoAMissingFolder_SaysSo()
    {
        var e = Assert.Throws<WeightsFileException>(() => SafetensorsWriter.Write(_folder["no/such/w"], new Dictionary<string, Tensor>()));
        Assert.False(e.IsUsage);
        Assert.Contains("no/such", e.Message);
    }

    [Fact]
    public void Read_AfterTheFileWasCutShort_IsRefused()
    {
        var path = _folder["w"];
        File.Copy(Fixture("nano/initial.safetensors"), path);
        using var file = SafetensorsFile.Open(path);
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) stream.SetLength(5000);
        Assert.Contains("cut short", Assert.Throws<FileCutShortException>(() => file.Read(file.Names[^1])).Message);
    }

    [Fact]
    public void Find_UnknownName_NamesTheFileAndTheName()
    {
        using var file = SafetensorsFile.Open(Fixture("nano/initial.safetensors"));
        var e = Assert.Throws<WeightsFileException>(() => file.Read("encoder.head"));
        Assert.Contains("encoder.head", e.Message);
        Assert.Contains("initial.safetensors", e.Message);
    }

    internal static string Fixture(string name) => Path.Combine(AppContext.BaseDirectory, "Fixtures", name);

    internal static bool SameBits(LazyTensor a, LazyTensor b)
    {
        if (a.Type != b.Type || !a.Shape.SequenceEqual(b.Shape)) return false;
        var (left, right) = (new byte[a.ByteCount], new byte[b.ByteCount]);
        a.CopyTo(left);
        b.CopyTo(right);
        return left.AsSpan().SequenceEqual(right);
    }

    private static Tensor Filled(ScalarType type, long[] shape, byte[] bytes)
    {
        var tensor = zeros(shape, type);
        if (tensor.numel() > 0) bytes.AsSpan(0, tensor.bytes.Length).CopyTo(tensor.bytes);
        return tensor;
    }

    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
