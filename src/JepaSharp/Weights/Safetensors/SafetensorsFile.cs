using System.Buffers.Binary;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>A safetensors file, open for reading and mapped into memory.</summary>
/// <remarks>
/// 8 bytes header length (little-endian), a JSON header, then the tensors' bytes without gaps
/// (https://github.com/huggingface/safetensors#format). Everything in the header is checked when the file is opened: a file that opens has
/// every tensor it lists, in full. Where the file carries checksums (<see cref="SafetensorsChecksums"/>), a tensor's is compared whenever it is read.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    /// <summary>The longest header that is read, in bytes: the limit of the format's own library.</summary>
    public const int LongestHeader = 100_000_000;

    private const int LengthBytes = 8;
    private readonly MappedFile _file;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header)
    {
        _file = file;
        Metadata = header.Metadata;
        Names = [.. header.Entries.Select(entry => entry.Name)];
        Tensors = header.Entries.ToDictionary(
            entry => entry.Name, entry => (LazyTensor)new Stored(file, entry, header.DataStart, header.Checksums?[entry.Name]));
    }

    /// <summary>The file, as it was named.</summary>
    public string Path => _file.Path;

    /// <summary>The header's free-form texts (<c>__metadata__</c>); empty if it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors' names in the order of the header.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The tensors by name, readable until the file is disposed of.</summary>
    public IReadOnlyDictionary<string, LazyTensor> Tensors { get; }

    /// <summary>Opens a file and checks its whole header.</summary>
    /// <exception cref="WeightsFileException">It is missing, unreadable, or not a sound safetensors file; the message says why.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = WeightsFile.Map(path);
        try
        {
            return new SafetensorsFile(file, ReadHeader(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Fetches a tensor: see <see cref="LazyTensor.Read"/>.</summary>
    /// <exception cref="WeightsFileException">There is no such tensor, or the file was changed meanwhile.</exception>
    public Tensor Read(string name) => Find(name).Read();

    /// <summary>A tensor by name.</summary>
    /// <exception cref="WeightsFileException">There is no such tensor.</exception>
    public LazyTensor Find(string name) =>
        Tensors.TryGetValue(name, out var tensor)
            ? tensor
            : throw new WeightsFileException(Path, $"{Names.Count} tensors and none named '{name}'", $"a tensor '{name}'");

    /// <summary>Closes the file. Tensors already read stay; lazy ones can no longer be.</summary>
    public void Dispose() => _file.Dispose();

    private static SafetensorsHeader ReadHeader(MappedFile file)
    {
        if (file.Length < LengthBytes)
            throw new WeightsFileException(
                file.Path, $"{file.Length} bytes", "a safetensors file, which begins with the 8-byte length of its header");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(file.View(0, LengthBytes));
        if (length > LongestHeader && ForeignContent.Of(file.View(0, (int)Math.Min(file.Length, ForeignContent.HeadBytes))) is { } foreign)
            throw new WeightsFileException(file.Path, foreign.What, $"weights: {foreign.Remedy}");
        if (length > LongestHeader)
            throw new WeightsFileException(
                file.Path, $"a header length of {length} bytes", $"at most {LongestHeader}: this is not a safetensors file, or it is damaged");
        if ((long)length > file.Length - LengthBytes)
            throw new WeightsFileException(file.Path, $"{file.Length} bytes and a header of {length}", "the whole header: the file is cut short");
        var header = SafetensorsHeader.Parse(file.Path, file.View(LengthBytes, (int)length), LengthBytes + (long)length, file.Length);
        file.Release(0, LengthBytes + (long)length);
        return header;
    }

    private sealed class Stored(MappedFile file, SafetensorsEntry entry, long dataStart, uint? checksum) : LazyTensor(entry.Type, entry.Shape)
    {
        private const int Chunk = 1 << 20;
        private bool _verified = checksum is null;

        private protected override void Fill(Span<byte> destination)
        {
            file.CopyTo(dataStart + entry.Begin, destination);
            if (checksum is { } expected && Crc32C.Of(destination) != expected) throw Damaged();
            _verified = true;
        }

        private protected override void FillRange(long offset, Span<byte> destination)
        {
            if (!_verified) Verify();
            file.CopyTo(dataStart + entry.Begin + offset, destination);
        }

        /// <summary>Of the whole tensor, before a part of it is handed out.</summary>
        private void Verify()
        {
            var crc = 0u;
            for (var at = entry.Begin; at < entry.End; at += Chunk)
                crc = Crc32C.Append(crc, file.View(dataStart + at, (int)Math.Min(Chunk, entry.End - at)));
            if (crc != checksum) throw Damaged();
            _verified = true;
        }

        private WeightsFileException Damaged() => SafetensorsChecksums.Damaged(file.Path, $"a tensor '{SafetensorsHeader.Shown(entry.Name)}'");
    }
}
