using System.Text;
using JepaSharp.Weights;
using static JepaSharp.Tests.Weights.CraftedFile;

namespace JepaSharp.Tests.Weights;

/// <summary>PyTorch checkpoints from a stranger: no code runs, and what is wrong is refused with the reason, quickly and with little
/// memory.</summary>
public sealed class HostileCheckpointTests : IDisposable
{
    private const int Million = 1_000_000;
    private static readonly byte[] SoundPickle = Named("w", Tensor(Storage(4), 0, [2, 2], [2, 1]));
    private static readonly (string, byte[])[] SoundFiles = [("a/data.pkl", SoundPickle), ("a/data/0", new byte[16])];

    private static readonly Dictionary<string, (Func<byte[]> File, string Reason)> Archives = new()
    {
        ["nothing"] = (() => [], "an empty file"),
        ["a text"] = (() => Encoding.UTF8.GetBytes("<html>"), "begins with the bytes"),
        ["the old format"] = (() => [.. Convert.FromHexString("80028A0A6CFC9C46F9206AA850192E"), 0x80, 2], "old format"),
        ["a bare pickle"] = (() => SoundPickle, "bare Python pickle"),
        ["a tar"] = (() => [.. new byte[257], .. "ustar"u8, .. new byte[500]], "tar archive"),
        ["cut in the middle"] = (() => Zip(SoundFiles)[..150], "cut short"),
        ["cut by one byte"] = (() => Zip(SoundFiles)[..^1], "cut short"),
        ["only an end record"] = (() => Zip([]), "0 files */data.pkl"),
        ["a directory beyond the file"] =
            (() => Zip(SoundFiles, spoilEnd: end => BitConverter.GetBytes(uint.MaxValue - 5).CopyTo(end, 16)), "zip directory at"),
        ["a directory length that overflows"] = (() => Zip(SoundFiles, spoilEnd: end => end.AsSpan(12, 8).Fill(255)), "zip directory at"),
        ["65,535 files promised"] = (() => Zip(SoundFiles, spoilEnd: end => end.AsSpan(8, 4).Fill(255)), "65535 files"),
        ["one file too many promised"] =
            (() => Zip([.. SoundFiles, ("a/" + new string('x', 60), [])], spoilEnd: end => end[10] = 4), "broken zip directory"),
        ["several volumes"] = (() => Zip(SoundFiles, spoilEnd: end => end[4] = 1), "several volumes"),
        ["a zip64 locator to nowhere"] = (() => Zip64Locator(long.MaxValue), "zip64 record"),
        ["a zip64 locator below zero"] = (() => Zip64Locator(-1), "zip64 record"),
        ["a zip64 record that is none"] = (() => Zip64Locator(0), "broken zip64"),
        ["a zip64 size that is missing"] = (() => Zip(SoundFiles, (_, entry) => entry.AsSpan(20, 8).Fill(255)), "zip64 sizes"),
        ["a name beyond the directory"] = (() => Zip(SoundFiles, (i, entry) => entry[29] = (byte)(i == 1 ? 200 : 0)), "broken zip directory"),
        ["a file beyond the archive"] = (() => Zip(SoundFiles, (i, entry) => entry[45] = (byte)(i == 1 ? 120 : 0)), "the archive is damaged"),
        ["a file longer than the archive"] = (() => Zip(SoundFiles, (_, entry) => { entry[23] = 100; entry[27] = 100; }), "the archive is damaged"),
        ["a local name that differs"] = (() => Zip(SoundFiles, (i, entry) => entry[46] = (byte)(i == 1 ? 'b' : 'a')), "the archive is damaged"),
        ["a name twice"] = (() => Zip([.. SoundFiles, SoundFiles[1]]), "'a/data/0' twice"),
        ["files over one another"] = (() => Overlapping(), "do not overlap"),
        ["a compressed file"] = (() => Zip(SoundFiles, (_, entry) => entry[10] = 8), "compressed"),
        ["a compressed size that differs"] = (() => Zip(SoundFiles, (_, entry) => entry[20]++), "compressed"),
        ["an encrypted file"] = (() => Zip(SoundFiles, (_, entry) => entry[8] = 1), "encrypted"),
        ["a wrong checksum of the pickle"] = (() => Zip(SoundFiles, (i, entry) => entry[16] ^= (byte)(1 - i)), "checksum"),
        ["two pickles"] = (() => Zip([.. SoundFiles, ("b/data.pkl", SoundPickle)]), "2 files */data.pkl"),
        ["a TorchScript program"] = (() => Zip([.. SoundFiles, ("a/constants.pkl", [])]), "TorchScript"),
        ["big-endian numbers"] = (() => Zip([.. SoundFiles, ("a/byteorder", "big"u8.ToArray())]), "big-endian"),
    };

    private static readonly Dictionary<string, (Func<byte[]> Pickle, string Reason)> Pickles = new()
    {
        ["os.system"] = (() => Pickle("cos\nsystem\n", Text("touch pwned"), 0x85, "R."), "'os.system'"),
        ["posix.system"] = (() => Pickle("cposix\nsystem\n(", Text("touch pwned"), "tR."), "'posix.system'"),
        ["eval from the stack"] = (() => Pickle(Text("builtins"), Text("eval"), 0x93, Text("1"), 0x85, "R."), "'builtins.eval'"),
        ["getattr"] = (() => Pickle("c__builtin__\ngetattr\n."), "'__builtin__.getattr'"),
        ["a dotted path through an allowed module"] =
            (() => Pickle(Text("torch._utils"), Text("_rebuild_tensor_v2.__globals__"), 0x93, "."), "__globals__"),
        ["torch.load"] = (() => Pickle("ctorch\nload\n."), "'torch.load'"),
        ["numpy"] = (() => Pickle("cnumpy.core.multiarray\n_reconstruct\n."), "'numpy.core.multiarray._reconstruct'"),
        ["a global with control characters"] = (() => Pickle("cos\nsys\u001b[2Jtem\n."), "'os.sys?[2Jtem'"),
        ["a global name without end"] = (() => Pickle("c", new string('x', 100_000)), "without end"),
        ["the instance opcode"] = (() => Pickle("(ios\nsystem\n."), "opcode 0x69"),
        ["the object opcode"] = (() => Pickle("(cos\nsystem\no."), "'os.system'"),
        ["an extension code"] = (() => Pickle(0x82, 1, "."), "opcode 0x82"),
        ["protocol 0"] = (() => "I1\n."u8.ToArray(), "another protocol"),
        ["protocol 6"] = (() => [0x80, 6, (byte)'N', (byte)'.'], "another protocol"),
        ["no end"] = (() => Pickle("N"), "0 bytes left"),
        ["nothing to return"] = (() => Pickle("."), "takes more than it made"),
        ["more taken than made"] = (() => Pickle("N", 0x87, "."), "takes more than it made"),
        ["taking from below a mark"] = (() => Pickle("NN(", 0x86, "."), "takes more than it made"),
        ["an end without a beginning"] = (() => Pickle("t."), "without a beginning"),
        ["a memo that is not there"] = (() => Pickle("h", 7, "."), "reference to value 7"),
        ["a text of 4 GB"] = (() => Pickle("X", 255, 255, 255, 255, "ab."), "4294967295 were due"),
        ["a text of 2^64 - 1"] = (() => Pickle(0x8d, "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff."), "18446744073709551615 were due"),
        ["bytes of 2^63"] = (() => Pickle(0x8e, 0, 0, 0, 0, 0, 0, 0, 128, "."), "9223372036854775808 were due"),
        ["an integer of 4 GB"] = (() => Pickle(0x8b, 255, 255, 255, 255, "."), "an integer of"),
        ["a text that is not UTF-8"] = (() => Pickle(0x8c, 1, 255, "."), "not UTF-8"),
        ["a list as a key"] = (() => Pickle("}]Ns."), "as the key"),
        ["a key without a value"] = (() => Pickle("}(Nu."), "a key without a value"),
        ["items for no container"] = (() => Pickle("N(Nu."), "a dictionary there"),
        ["calling a text"] = (() => Pickle(Text("os.system"), ")R."), "a text in its pickle"),
        ["calling a tensor class"] = (() => Pickle("ctorch\nFloatStorage\n)R."), "arguments it does not take"),
        ["state for a list"] = (() => Pickle("]}b."), "sets the state"),
        ["a persistent id that is a text"] = (() => Pickle(Text("../../etc/passwd"), "Q."), "description of a storage"),
        ["a storage out of its folder"] = (() => Named("w", Tensor(Storage(4, key: "../../x"), 0, [4], [1])), "no file for storage '../../x'"),
        ["a storage of another size"] = (() => Named("w", Tensor(Storage(5), 0, [4], [1])), "16 bytes for storage"),
        ["a storage of 2^62 elements"] = (() => Named("w", Tensor(Storage(1L << 62), 0, [4], [1])), "16 bytes for storage"),
        ["a storage below zero"] = (() => Named("w", Tensor(Storage(-1), 0, [4], [1])), "16 bytes for storage"),
        ["a storage of two types"] = (() => Pickle("(", Storage(4), Storage(4, "IntStorage"), "t."), "that differ"),
        ["an unknown storage"] = (() => Named("w", Tensor(Storage(4, "ComplexFloatStorage"), 0, [4], [1])), "'torch.ComplexFloatStorage'"),
        ["a tensor past its storage"] = (() => Named("w", Tensor(Storage(4), 1, [4], [1])), "inside the storage"),
        ["strides past the storage"] = (() => Named("w", Tensor(Storage(4), 0, [2, 2], [3, 1])), "inside the storage"),
        ["strides that overflow"] = (() => Named("w", Tensor(Storage(4), 0, [2, 2], [long.MaxValue, long.MaxValue])), "inside the storage"),
        ["an offset that overflows"] = (() => Named("w", Tensor(Storage(4), long.MaxValue, [2], [1])), "inside the storage"),
        ["a negative offset"] = (() => Named("w", Tensor(Storage(4), -1, [2], [1])), "not whole numbers from 0"),
        ["a negative stride"] = (() => Named("w", Tensor(Storage(4), 3, [2], [-1])), "not whole numbers from 0"),
        ["an expanded tensor of 4 TB"] = (() => Named("w", Tensor(Storage(4), 0, [1L << 40], [0])), "no more elements than the storage"),
        ["a shape that overflows"] = (() => Named("w", Tensor(Storage(4), 0, [1L << 40, 1L << 40], [0, 0])), "no more elements than the storage"),
        ["shape and strides that differ"] = (() => Named("w", Tensor(Storage(4), 0, [2, 2], [1])), "not whole numbers from 0"),
        ["a shape of texts"] = (
            () => Pickle("ctorch._utils\n_rebuild_tensor_v2\n(", Storage(4), Whole(0), Text("x"), 0x85, Tuple(1), 0x89, "}tR."), "not whole numbers"),
        ["marks without end"] = (() => Pickle(new string('(', Million)), "nested deeper"),
        ["lists without end"] = (() => Pickle(new string(']', 3 * Million)), "steps"),
        ["dictionaries without end"] = (() => Pickle(new string('}', 3 * Million)), "steps"),
        ["memo without end"] = (() => Pickle("N", string.Concat(Enumerable.Repeat("r\u0001\u0002\u0003\u0004", Million + 1))), "steps"),
        ["a list in itself in itself"] = (() => Pickle("]q", 0, string.Concat(Enumerable.Repeat("h\0a", Million))), "steps"),
        ["tuples that double"] = (() => Pickle(")", string.Concat(Enumerable.Repeat("2\u0086", Million)), "."), "steps"),
        ["a set copied again and again"] = (() => Pickle("](", string.Concat(
            Enumerable.Range(0, 100_000).Select(i => Encoding.Latin1.GetString([(byte)'J', .. BitConverter.GetBytes(i)]))),
            "eq", 0, string.Concat(Enumerable.Repeat("0cbuiltins\nset\nh\0\u0085R", 1000)), "."), "steps"),
        ["bytes copied again and again"] = (() => Pickle(Text(new string('x', Million)), "q", 0, Text("latin1"), "q", 1,
            string.Concat(Enumerable.Repeat("0c_codecs\nencode\nh\0h\u0001\u0086R", 10_000)), "."), "steps"),
        ["colliding keys"] = (() => Pickle("}(", string.Concat(Enumerable.Range(0, 30_000).Select(i =>
            Encoding.Latin1.GetString([.. Whole(((long)i << 32) | (uint)i), (byte)'N']))), "u."), "no tensors by name"),
        ["a dictionary in itself"] = (() => Pickle("}q", 0, Text("encoder"), "h", 0, "s."), "patch_embed"),
        ["not a dictionary"] = (() => Pickle("N."), "not a dictionary"),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> ArchiveNames => [.. Archives.Keys];

    public static TheoryData<string> PickleNames => [.. Pickles.Keys];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_TheSoundFileThatTheCasesSpoil_Works()
    {
        File.WriteAllBytes(_folder["x.pth"], Zip(SoundFiles));
        using var file = PickledCheckpoint.Open(_folder["x.pth"]);
        var tensor = Assert.IsType<PickledTensor>(Assert.IsType<OrderedDictionary<object, object?>>(file.Root)["w"]);
        Assert.Equal([2, 2], tensor.Shape);
    }

    [Theory]
    [MemberData(nameof(ArchiveNames))]
    public void Open_HostileArchive_IsRefusedWithTheReasonQuicklyAndCheaply(string name) => Check(Archives[name].File(), Archives[name].Reason);

    [Theory]
    [MemberData(nameof(PickleNames))]
    public void Open_HostilePickle_IsRefusedWithTheReasonQuicklyAndCheaply(string name)
    {
        Check(Checkpoint(Pickles[name].Pickle()), Pickles[name].Reason);
        Assert.Equal([_folder["x.pth"]], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Read_StorageWithAWrongChecksum_IsRefused()
    {
        var bytes = Zip(SoundFiles, (i, entry) => entry[16] ^= (byte)i);
        File.WriteAllBytes(_folder["x.pth"], bytes);
        using var file = PickledCheckpoint.Open(_folder["x.pth"]);
        var tensor = (LazyTensor)((OrderedDictionary<object, object?>)file.Root!)["w"]!;
        Assert.Contains("checksum", Assert.Throws<WeightsFileException>(() => tensor.Read()).Message);
    }

    [Fact]
    public void Open_AnySingleByteOfARealCheckpointChanged_IsRefusedOrReadsAndNeverCrashes()
    {
        var original = File.ReadAllBytes(SafetensorsTests.Fixture("nano/checkpoint.pth.tar"));
        var stream = new JepaSharp.Runtime.RandomStream(11, JepaSharp.Runtime.RandomPurpose.Split);
        for (var i = 0; i < 150; i++)
        {
            var bytes = (byte[])original.Clone();
            // Half in the pickle and the first headers, half in the directory at the end.
            var at = i % 2 == 0 ? stream.NextInt(24_500) : bytes.Length - 1 - stream.NextInt(16_000);
            bytes[at] ^= (byte)(1 << (i % 8));
            File.WriteAllBytes(_folder["x.pth"], bytes);
            try
            {
                using var weights = PretrainedWeights.Open(_folder["x.pth"], 3);
                foreach (var tensor in weights.Tensors.Values) tensor.Read().Dispose();
            }
            catch (WeightsFileException)
            {
            }
        }
    }

    private void Check(byte[] file, string reason)
    {
        File.WriteAllBytes(_folder["x.pth"], file);
        Refusal.Check(() => PretrainedWeights.Open(_folder["x.pth"]).Dispose(), _folder["x.pth"], reason);
    }

    private static byte[] Zip64Locator(long record)
    {
        var sound = Zip(SoundFiles);
        return [.. sound[..^22], 0x50, 0x4b, 6, 7, 0, 0, 0, 0, .. BitConverter.GetBytes(record), 1, 0, 0, 0, .. sound[^22..]];
    }

    /// <summary>The second file's header lies inside the content of the first.</summary>
    private static byte[] Overlapping()
    {
        byte[] inner = Zip([("a/data/0", new byte[16])])[..(30 + 8 + 16)];
        var archive = Zip([("a/data.pkl", [.. SoundPickle, .. inner]), ("a/data/0", new byte[16])],
            (i, entry) => { if (i == 1) BitConverter.GetBytes(30 + 10 + SoundPickle.Length).CopyTo(entry, 42); });
        return archive;
    }
}
