using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>Writes safetensors files, one tensor in memory at a time, with a checksum of each (<see cref="SafetensorsChecksums"/>).</summary>
public static class SafetensorsWriter
{
    /// <summary>Tensors begin at multiples of this many bytes, as far as their own sizes allow.</summary>
    private const int Alignment = 8;

    /// <summary>Writes tensors in memory: see
    /// <see cref="Write(string, IReadOnlyList{KeyValuePair{string, LazyTensor}}, IReadOnlyDictionary{string, string}?)"/>.</summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="tensors">Names and tensors, any device, any strides; they are not changed.</param>
    /// <param name="metadata">Free-form texts for the header.</param>
    /// <exception cref="WeightsFileException">Writing failed: nothing is left behind and what was there before stays.</exception>
    /// <exception cref="ArgumentException">A name occurs twice or is reserved, or a type has no place in the format.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        Write(path, [.. tensors.Select(pair => KeyValuePair.Create(pair.Key, LazyTensor.Of(pair.Value)))], metadata);

    /// <summary>Writes tensors in the given order: to a temporary name beside the file, flushed to disk, then renamed.</summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="tensors">Names and tensors, each fetched when its turn comes.</param>
    /// <param name="metadata">Free-form texts for the header.</param>
    /// <exception cref="WeightsFileException">Reading or writing failed: nothing is left behind and what was there before stays.</exception>
    /// <exception cref="ArgumentException">A name occurs twice or is reserved.</exception>
    public static void Write(
        string path, IReadOnlyList<KeyValuePair<string, LazyTensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var texts = (metadata ?? new Dictionary<string, string>()).Where(pair => pair.Key != SafetensorsChecksums.Key).ToList();
        var header = Header(tensors, texts, SafetensorsChecksums.Placeholder(tensors.Count));
        foreach (var (_, tensor) in tensors) tensor.RequireSpanSized();
        DurableFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            var written = new List<(string, string, IReadOnlyList<long>, uint)>();
            foreach (var (name, tensor) in tensors)
                written.Add((name, ElementType.SafetensorsName(tensor.Type), tensor.Shape, WriteTensor(stream, tensor)));
            stream.Position = length.Length;
            stream.Write(Header(tensors, texts, SafetensorsChecksums.Of(texts, written)));
        });
    }

    /// <returns>The checksum of what was written.</returns>
    private static uint WriteTensor(Stream stream, LazyTensor tensor)
    {
        if (tensor.Count == 0) return 0;
        var bytes = ArrayPool<byte>.Shared.Rent((int)tensor.ByteCount);
        try
        {
            var used = bytes.AsSpan(0, (int)tensor.ByteCount);
            tensor.CopyTo(used);
            stream.Write(used);
            return Crc32C.Of(used);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static byte[] Header(
        IReadOnlyList<KeyValuePair<string, LazyTensor>> tensors, List<KeyValuePair<string, string>> metadata, string checksums)
    {
        var names = new HashSet<string> { SafetensorsHeader.MetadataKey };
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject(SafetensorsHeader.MetadataKey);
            foreach (var (key, value) in metadata) json.WriteString(key, value);
            json.WriteString(SafetensorsChecksums.Key, checksums);
            json.WriteEndObject();

            var offset = 0L;
            foreach (var (name, tensor) in tensors)
            {
                if (!names.Add(name)) throw new ArgumentException($"The name '{name}' is reserved or occurs twice.", nameof(tensors));
                json.WriteStartObject(name);
                json.WriteString("dtype", ElementType.SafetensorsName(tensor.Type));
                json.WriteStartArray("shape");
                foreach (var size in tensor.Shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.ByteCount);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // The format allows trailing spaces: they bring the first tensor to a multiple of 8 bytes.
        var padded = (buffer.WrittenCount + Alignment - 1) / Alignment * Alignment;
        buffer.Write(Enumerable.Repeat((byte)' ', padded - buffer.WrittenCount).ToArray());
        return buffer.WrittenSpan.ToArray();
    }
}
