using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using JepaSharp.Weights;

namespace JepaSharp.Evaluation.Embeddings.Writers;

/// <summary>The header of a safetensors file with one tensor, <c>features</c>, whose number of images is known at the end only.</summary>
internal static class SafetensorsEmbeddings
{
    public const string Name = "features";

    private const int LengthBytes = 8;
    private const int WidestNumber = 19;
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Always of the same length for one layout and the same facts: the format allows spaces at the end.</summary>
    /// <param name="layout">Shape of one image's embedding.</param>
    /// <param name="images">How many there are.</param>
    /// <param name="facts">What the file says about itself.</param>
    /// <param name="checksum">CRC-32C of all numbers.</param>
    public static byte[] Header(EmbeddingLayout layout, long images, IReadOnlyDictionary<string, string> facts, uint checksum)
    {
        var json = Json(layout, images, facts, checksum);
        var longest = Json(layout, 0, facts, checksum).Length + (2 * WidestNumber);
        var header = new byte[LengthBytes + ((longest + LengthBytes - 1) / LengthBytes * LengthBytes)];
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - LengthBytes);
        header.AsSpan(LengthBytes).Fill((byte)' ');
        json.CopyTo(header.AsSpan(LengthBytes));
        return header;
    }

    private static ReadOnlySpan<byte> Json(EmbeddingLayout layout, long images, IReadOnlyDictionary<string, string> facts, uint checksum)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in facts) json.WriteString(key, value);
            json.WriteString(SafetensorsChecksums.Key, SafetensorsChecksums.Of(facts, [(Name, "F32", layout.ShapeOf(images), checksum)]));
            json.WriteEndObject();
            json.WriteStartObject(Name);
            json.WriteString("dtype", "F32");
            json.WriteStartArray("shape");
            foreach (var size in layout.ShapeOf(images)) json.WriteNumberValue(size);
            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(0);
            json.WriteNumberValue(images * layout.Numbers * sizeof(float));
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan;
    }
}
