using System.Numerics;
using System.Text;
using JepaSharp.Weights;
using static JepaSharp.Tests.Weights.CraftedFile;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Weights;

public sealed class PickledCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Values_OfEveryKind_BecomePlainOnes()
    {
        Assert.Null(Load("N."));
        Assert.Equal(true, Load(0x88, "."));
        Assert.Equal(-2L, Load("J", BitConverter.GetBytes(-2), "."));
        Assert.Equal(255L, Load("K", 255, "."));
        Assert.Equal(513L, Load("M", 1, 2, "."));
        Assert.Equal(long.MinValue, Load(Whole(long.MinValue), "."));
        Assert.Equal(-1L, Load(0x8a, 1, 255, "."));
        Assert.Equal(0L, Load(0x8a, 0, "."));
        Assert.Equal(BigInteger.Pow(2, 64), Load(0x8b, BitConverter.GetBytes(9), new byte[8], 1, "."));
        Assert.Equal(1.5, Load("G", 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, "."));
        Assert.Equal("é", Load("X", BitConverter.GetBytes(2), Encoding.UTF8.GetBytes("é"), "."));
        Assert.Equal(new byte[] { 1, 200 }, Load("C", 2, 1, 200, "."));
        Assert.Equal(
            new byte[] { 255 }, Load("c_codecs\nencode\n(", "X", BitConverter.GetBytes(2), Encoding.UTF8.GetBytes("ÿ"), Text("latin1"), "tR."));
        Assert.Equal(new object?[] { 1L, null }, Load("K", 1, "N", 0x86, "."));
        Assert.Equal(new List<object?> { 1L, 2L }, Load("](K", 1, "K", 2, "e."));
        Assert.Equal([1L, "a"], Assert.IsType<HashSet<object>>(Load("c__builtin__\nset\n](K", 1, Text("a"), "e", 0x85, "R.")));
        Assert.Equal([1L], Assert.IsType<HashSet<object>>(Load(0x8f, "(K", 1, 0x90, ".")));
        Assert.Equal(new object?[] { 2L, 3L }, Load("ctorch\nSize\n(K", 2, "K", 3, "t", 0x85, "R."));
        Assert.Equal("cuda", Load("ctorch\ndevice\n", Text("cuda"), "K", 0, 0x86, "R."));
    }

    [Fact]
    public void Dictionaries_KeepTheirOrderAndIgnoreTheirAttributes()
    {
        var loaded = Load("ccollections\nOrderedDict\n)R(", Text("b"), "K", 1, Text("a"), "N", "u}", Text("_metadata"), "}sb.");
        var dictionary = Assert.IsType<OrderedDictionary<object, object?>>(loaded);
        Assert.Equal(["b", "a"], dictionary.Keys);
        Assert.Equal(1L, dictionary["b"]);
    }

    [Fact]
    public void Memo_GivesTheSameValueAgain()
    {
        var pair = Assert.IsType<object?[]>(Load("]q", 3, "h", 3, 0x86, "."));
        Assert.Same(pair[0], pair[1]);
    }

    [Theory]
    [InlineData("FloatStorage", ScalarType.Float32)]
    [InlineData("HalfStorage", ScalarType.Float16)]
    [InlineData("BFloat16Storage", ScalarType.BFloat16)]
    [InlineData("DoubleStorage", ScalarType.Float64)]
    [InlineData("LongStorage", ScalarType.Int64)]
    [InlineData("IntStorage", ScalarType.Int32)]
    [InlineData("ShortStorage", ScalarType.Int16)]
    [InlineData("CharStorage", ScalarType.Int8)]
    [InlineData("ByteStorage", ScalarType.Byte)]
    [InlineData("BoolStorage", ScalarType.Bool)]
    public void Tensor_OfEachType_HasTheBytesOfItsStorage(string storage, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var whole = arange(12, ScalarType.Float32).to_type(type);
        var bytes = whole.bytes.ToArray();
        using var file = Open(Pickle(Tensor(Storage(12, storage), 2, [3, 2], [2, 1]), "."), bytes);
        var tensor = Assert.IsType<PickledTensor>(file.Root);
        Assert.Equal(type, tensor.Type);
        var read = tensor.Read();
        Assert.Equal([3, 2], read.shape);
        Assert.True(read.eq(whole[2..8].reshape(3, 2)).all().item<bool>());
    }

    [Theory]
    [InlineData(new long[] { 3, 4 }, new long[] { 1, 3 }, 0)]
    [InlineData(new long[] { 2, 2 }, new long[] { 6, 2 }, 3)]
    [InlineData(new long[] { 2, 3, 2 }, new long[] { 1, 4, 2 }, 0)]
    [InlineData(new long[] { 3, 3 }, new long[] { 1, 1 }, 2)]
    [InlineData(new long[] { 1, 4 }, new long[] { 99, 1 }, 8)]
    [InlineData(new long[] { 5 }, new long[] { 0 }, 7)]
    [InlineData(new long[] { 0, 7 }, new long[] { 7, 1 }, 12)]
    [InlineData(new long[0], new long[0], 11)]
    public void Tensor_WithAnyStrides_IsLaidOutInRows(long[] shape, long[] strides, long offset)
    {
        var numbers = Enumerable.Range(0, 12).Select(i => (float)i).ToArray();
        using var file = Open(Pickle(Tensor(Storage(12), offset, shape, strides), "."), numbers.SelectMany(BitConverter.GetBytes).ToArray());
        using var read = Assert.IsType<PickledTensor>(file.Root).Read();
        Assert.Equal(shape, read.shape);
        var expected = new List<float>();
        Walk(0, offset);
        if (expected.Count > 0) Assert.Equal(expected, read.data<float>().ToArray());
        Assert.Equal(expected.Count, read.numel());

        void Walk(int dimension, long at)
        {
            if (dimension == shape.Length)
            {
                expected.Add(numbers[at]);
                return;
            }

            for (var i = 0L; i < shape[dimension]; i++) Walk(dimension + 1, at + (i * strides[dimension]));
        }
    }

    [Fact]
    public void Parameter_AndSharedStorage_AreViewsOfOneStorage()
    {
        var parameter = Encoding.ASCII.GetBytes("ctorch._utils\n_rebuild_parameter\n(");
        using var file = Open(Pickle("(", Tensor(Storage(4), 0, [2], [1]), parameter, Tensor(Storage(4), 1, [2], [1]), 0x88, "}tRt."), new byte[16]);
        var pair = Assert.IsType<object?[]>(file.Root);
        var (first, second) = (Assert.IsType<PickledTensor>(pair[0]), Assert.IsType<PickledTensor>(pair[1]));
        Assert.True(first.SharesStorageWith(second));
        Assert.Equal(1, second.StorageOffset);
        Assert.Equal([1], second.Strides);
    }

    [Fact]
    public void Archive_WithZip64Fields_IsReadLikeAnother()
    {
        var storage = Enumerable.Range(0, 16).Select(i => (byte)i).ToArray();
        File.WriteAllBytes(_folder["x.pth"], Zip64([("a/data.pkl", Pickle(Tensor(Storage(4), 0, [4], [1]), ".")), ("a/data/0", storage)]));
        using var file = PickledCheckpoint.Open(_folder["x.pth"]);
        var bytes = new byte[16];
        Assert.IsType<PickledTensor>(file.Root).CopyTo(bytes);
        Assert.Equal(storage, bytes);
    }

    /// <summary>What a program was started with, as argparse keeps it: nothing is made of it and nothing run.</summary>
    [Fact]
    public void Namespace_OfArguments_IsPassedOver()
    {
        var root = Assert.IsType<OrderedDictionary<object, object?>>(
            Load("}", Text("args"), "cargparse\nNamespace\n", ")", 0x81, "}", Text("lr"), Whole(3), "sb", "s", Text("epoch"), Whole(2), "s."));
        Assert.Empty(Assert.IsType<OrderedDictionary<object, object?>>(root["args"]));
        Assert.Equal(2L, root["epoch"]);
        Assert.Throws<WeightsFileException>(() => Load("cargparse\nNamespace\n", ")", 0x81, Text("os.system"), "b."));
        Assert.Throws<WeightsFileException>(() => Load("cargparse\nArgumentParser\n", ")", 0x81, "."));
    }

    /// <summary>A number that was computed with NumPy, as DINO's optimizer keeps its learning rate; any other object of NumPy's is refused.</summary>
    [Fact]
    public void Number_OfNumPy_IsRead()
    {
        object[] Scalar(string type, string order, string bytes) =>
        [
            "cnumpy.core.multiarray\nscalar\n", "cnumpy\ndtype\n", Text(type), 0x89, 0x88, 0x87, "R", "(", Whole(3), Text(order), "NNN", Whole(-1),
            Whole(-1), Whole(0), "tb", "c_codecs\nencode\n", Text(bytes), Text("latin1"), 0x86, "R", 0x86, "R.",
        ];
        Assert.Equal(2.0, Load(Scalar("f8", "<", "\0\0\0\0\0\0\0@")));
        Assert.Equal(258L, Load(Scalar("i4", "<", "\u0002\u0001\0\0")));
        Assert.Throws<WeightsFileException>(() => Load(Scalar("f8", ">", "\0\0\0\0\0\0\0@")));
        Assert.Throws<WeightsFileException>(() => Load(Scalar("f8", "<", "\0\0")));
        Assert.Throws<WeightsFileException>(() => Load(Scalar("O8", "<", "\0\0\0\0\0\0\0\0")));
    }

    private object? Load(params object[] pieces)
    {
        using var file = Open(Pickle(pieces), new byte[16]);
        return file.Root;
    }

    private PickledCheckpoint Open(byte[] pickle, byte[] storage)
    {
        File.WriteAllBytes(_folder["x.pth"], Zip([("a/data.pkl", pickle), ("a/data/0", storage)]));
        return PickledCheckpoint.Open(_folder["x.pth"]);
    }
}
