using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>A checkpoint that <c>torch.save</c> wrote (.pth, .pth.tar, .pt, .bin), open for reading and mapped into memory.</summary>
/// <remarks>
/// A zip archive with a pickle of the structure and one uncompressed file for each storage. The pickle is read by
/// <see cref="RestrictedUnpickler"/>, which cannot run code; a storage's checksum is compared when a tensor of it is first read.
/// </remarks>
public sealed class PickledCheckpoint : IDisposable
{
    private const int LongestPickle = 32 << 20;
    private readonly MappedFile _file;
    private readonly StoredZip _archive;
    private readonly string _folder;
    private readonly Dictionary<string, PickledStorage> _storages = [];

    private PickledCheckpoint(MappedFile file)
    {
        _file = file;
        PickleFormats.RequireZip(file);
        _archive = new StoredZip(file);
        var pickle = FindPickle();
        _folder = pickle.Name[..^"data.pkl".Length];
        RequireLittleEndian();
        if (pickle.Length > LongestPickle) throw new WeightsFileException(Path, $"a pickle of {pickle.Length} bytes", $"at most {LongestPickle}");
        _archive.Verify(pickle);
        Root = new RestrictedUnpickler(Path, file.View(pickle.Offset, (int)pickle.Length), FindStorage).Load();
    }

    /// <summary>The file, as it was named.</summary>
    public string Path => _file.Path;

    /// <summary>What was saved, as plain values.</summary>
    /// <remarks>
    /// None is null; numbers are long, BigInteger, double or bool; texts string; bytes byte[]; tuples object?[]; lists List&lt;object?&gt;;
    /// dictionaries OrderedDictionary&lt;object, object?&gt;; sets HashSet&lt;object&gt;; tensors <see cref="PickledTensor"/>. Values of a hostile
    /// file may contain themselves.
    /// </remarks>
    public object? Root { get; }

    /// <summary>Opens a checkpoint and reads its structure; the tensors' numbers stay in the file.</summary>
    /// <exception cref="WeightsFileException">It is missing, damaged, in an older format, or names anything but tensors and plain
    /// containers.</exception>
    public static PickledCheckpoint Open(string path)
    {
        var file = WeightsFile.Map(path);
        try
        {
            return new PickledCheckpoint(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file. Tensors already read stay; lazy ones can no longer be.</summary>
    public void Dispose() => _file.Dispose();

    private StoredZipEntry FindPickle()
    {
        var found = _archive.Entries.Values.Where(entry => entry.Name.EndsWith("/data.pkl", StringComparison.Ordinal)
            && entry.Name.Count(c => c == '/') == 1).ToList();
        if (found.Count != 1)
            throw new WeightsFileException(Path, $"a zip archive with {found.Count} files */data.pkl",
                "a checkpoint that torch.save wrote, which has one; if weights are packed in it, unpack it (unzip) and give what is in it");
        if (_archive.Entries.ContainsKey(found[0].Name.Replace("data.pkl", "constants.pkl", StringComparison.Ordinal)))
            throw new WeightsFileException(Path, "a TorchScript program", "a checkpoint: save the model's state_dict with torch.save");
        return found[0];
    }

    private void RequireLittleEndian()
    {
        if (!_archive.Entries.TryGetValue(_folder + "byteorder", out var entry) || entry.Length > 16) return;
        if (!_file.View(entry.Offset, (int)entry.Length).SequenceEqual("little"u8))
            throw new WeightsFileException(Path, "numbers in big-endian order", "little-endian: save it again on an ordinary machine");
    }

    private PickledStorage FindStorage(PickleGlobal kind, string key, long count)
    {
        if (_storages.TryGetValue(key, out var known))
        {
            if (known.Type == kind.Type && known.Count == count) return known;
            throw new WeightsFileException(Path, $"two descriptions of storage '{SafetensorsHeader.Shown(key)}' that differ", "one");
        }

        if (!_archive.Entries.TryGetValue($"{_folder}data/{key}", out var entry))
            throw new WeightsFileException(
                Path, $"no file for storage '{SafetensorsHeader.Shown(key)}'", "every storage in the archive: it is damaged");
        if (count < 0 || entry.Length / ElementType.Size(kind.Type) != count || entry.Length % ElementType.Size(kind.Type) != 0)
            throw new WeightsFileException(
                Path, $"{entry.Length} bytes for storage '{SafetensorsHeader.Shown(key)}'", $"{count} elements of {ElementType.Name(kind.Type)}");
        var storage = new PickledStorage(_file, _archive, entry, kind.Type, count);
        _storages.Add(key, storage);
        return storage;
    }
}

/// <summary>Recognises the formats that PyTorch has written over the years, so that those which are not read are named.</summary>
internal static class PickleFormats
{
    private const string SaveAgain = "the zip format that torch.save writes since PyTorch 1.6: load the file once in PyTorch with "
        + "torch.load(path, map_location='cpu', weights_only=True) and save what you get with torch.save";

    /// <summary>A zip archive: a local file header, or the end record of an empty archive.</summary>
    public static bool IsZip(ReadOnlySpan<byte> start) => start.StartsWith("PK\x03\x04"u8) || start.StartsWith("PK\x05\x06"u8);

    /// <summary>A pickle of protocol 2 or later.</summary>
    public static bool IsBarePickle(ReadOnlySpan<byte> start) => start.Length >= 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5;

    /// <summary>The older torch.save: a first pickle holding the number 0x1950a86a20f9469cfc6c.</summary>
    private static bool IsOldTorchSave(ReadOnlySpan<byte> start) =>
        IsBarePickle(start) && start[2..].StartsWith((ReadOnlySpan<byte>)[0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);

    private static bool IsTar(ReadOnlySpan<byte> start) => start.Length >= 262 && start[257..].StartsWith("ustar"u8);

    /// <exception cref="WeightsFileException">The file is not a zip archive; the message names what it is.</exception>
    public static void RequireZip(MappedFile file)
    {
        var start = file.View(0, (int)Math.Min(file.Length, 512));
        if (IsZip(start)) return;
        if (IsOldTorchSave(start))
            throw new WeightsFileException(file.Path, "a checkpoint in PyTorch's old format, one pickle after another", SaveAgain);
        if (IsTar(start))
            throw new WeightsFileException(
                file.Path, "a tar archive, PyTorch's oldest format or a packed folder", SaveAgain + " (or unpack it first)");
        if (IsBarePickle(start)) throw new WeightsFileException(file.Path, "a bare Python pickle", SaveAgain);
        if (ForeignContent.Of(start) is { } foreign) throw new WeightsFileException(file.Path, foreign.What, $"weights: {foreign.Remedy}");
        var shown = Convert.ToHexString(start[..Math.Min(8, start.Length)]);
        throw new WeightsFileException(file.Path, start.IsEmpty ? "an empty file" : $"a file that begins with the bytes {shown}",
            "a checkpoint that torch.save wrote, which is a zip archive");
    }
}
