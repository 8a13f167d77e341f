using System.Text.Json;
using static TorchSharp.torch;

namespace JepaSharp.Weights;

/// <summary>One tensor of a safetensors header. Offsets count from the end of the header.</summary>
internal sealed record SafetensorsEntry(string Name, ScalarType Type, long[] Shape, long Begin, long End);

/// <summary>The checked header of a safetensors file.</summary>
/// <param name="Entries">The tensors.</param>
/// <param name="Metadata">Free-form texts, without the checksums.</param>
/// <param name="DataStart">Where the tensors' bytes begin in the file.</param>
/// <param name="Checksums">CRC-32C of each tensor's bytes, by name; null in a file that carries none.</param>
internal sealed record SafetensorsHeader(
    IReadOnlyList<SafetensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata, long DataStart,
    IReadOnlyDictionary<string, uint>? Checksums)
{
    /// <summary>The key that holds free-form texts instead of a tensor.</summary>
    public const string MetadataKey = "__metadata__";

    private const int MostTensors = 100_000;
    private const int MostDimensions = 32;

    /// <summary>Parses and checks a header.</summary>
    /// <param name="file">For messages.</param>
    /// <param name="json">The header's bytes.</param>
    /// <param name="dataStart">Where the tensors' bytes begin in the file.</param>
    /// <param name="fileLength">Where they must end.</param>
    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json, long dataStart, long fileLength)
    {
        var entries = new List<SafetensorsEntry>();
        var metadata = new Dictionary<string, string>();
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
            Read(file, ref reader, entries, metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new WeightsFileException(file,
                $"a header that is not the JSON of a safetensors file ({e.Message.Split(" LineNumber")[0].TrimEnd('.')})",
                "an object of tensors, each with dtype, shape and data_offsets", e);
        }

        CheckLayout(file, entries, fileLength - dataStart);
        var checksums = SafetensorsChecksums.Take(file, metadata, entries);
        return new SafetensorsHeader(entries, metadata, dataStart, checksums);
    }

    private static void Read(string file, ref Utf8JsonReader reader, List<SafetensorsEntry> entries, Dictionary<string, string> metadata)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        var names = new HashSet<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            if (!names.Add(name)) throw new WeightsFileException(file, $"the name '{Shown(name)}' twice in the header", "each name once");
            if (names.Count > MostTensors) throw new WeightsFileException(file, $"more than {MostTensors} tensors", "the weights of a model");
            if (name == MetadataKey) ReadMetadata(file, ref reader, metadata);
            else entries.Add(ReadEntry(file, name, ref reader));
        }

        if (reader.Read()) throw new JsonException("there is more after the object");
    }

    private static void ReadMetadata(string file, ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String);
            if (!metadata.TryAdd(key, reader.GetString()!))
                throw new WeightsFileException(file, $"the metadata key '{Shown(key)}' twice", "each key once");
        }
    }

    private static SafetensorsEntry ReadEntry(string file, string name, ref Utf8JsonReader reader)
    {
        string? type = null;
        long[]? shape = null, offsets = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var key = reader.GetString()!;
            switch (key)
            {
                case "dtype" when type is null:
                    Expect(ref reader, JsonTokenType.String);
                    type = reader.GetString()!;
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(file, name, "shape", ref reader);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(file, name, "data_offsets", ref reader);
                    break;
                default:
                    throw new WeightsFileException(
                        file, $"'{Shown(key)}' in the entry of '{Shown(name)}'", "dtype, shape and data_offsets, each once");
            }
        }

        if (type is null || shape is null || offsets is null)
            throw new WeightsFileException(file, $"an entry '{Shown(name)}' without all of dtype, shape and data_offsets", "all three");
        return Check(file, name, type, shape, offsets);
    }

    private static SafetensorsEntry Check(string file, string name, string typeName, long[] shape, long[] offsets)
    {
        var shown = $"'{Shown(name)}'";
        if (!ElementType.TryFromSafetensors(typeName, out var type))
            throw new WeightsFileException(file, $"dtype '{Shown(typeName)}' for {shown}", $"one of {ElementType.SafetensorsNames}");
        if (!ElementType.TryCount(shape, out var count))
            throw new WeightsFileException(
                file, $"the shape [{string.Join(", ", shape)}] for {shown}", "sizes whose product is a size that can exist");
        if (offsets.Length != 2 || offsets[0] > offsets[1])
            throw new WeightsFileException(file, $"the data_offsets [{string.Join(", ", offsets)}] for {shown}", "a begin and an end, in this order");
        var bytes = count * ElementType.Size(type);
        if (offsets[1] - offsets[0] != bytes)
            throw new WeightsFileException(
                file, $"{offsets[1] - offsets[0]} bytes for {shown}", $"{bytes}, as {typeName} [{string.Join(", ", shape)}] takes");
        return new SafetensorsEntry(name, type, shape, offsets[0], offsets[1]);
    }

    /// <summary>The tensors must follow one another without overlap or hole, from the header to the end of the file.</summary>
    private static void CheckLayout(string file, List<SafetensorsEntry> entries, long available)
    {
        var end = 0L;
        var previous = "the header";
        foreach (var entry in entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End))
        {
            if (entry.Begin != end)
            {
                var how = entry.Begin < end ? "overlaps" : "leaves a hole after";
                throw new WeightsFileException(
                    file, $"'{Shown(entry.Name)}' at offset {entry.Begin}, which {how} {previous}", $"it to begin at {end}");
            }

            (end, previous) = (entry.End, $"'{Shown(entry.Name)}'");
        }

        if (end > available)
            throw new WeightsFileException(file, $"{available} bytes of tensors", $"{end}, as the header says: the file is cut short");
        if (end < available)
            throw new WeightsFileException(file, $"{available} bytes of tensors", $"{end}, as the header says: something was added to it");
    }

    private static long[] ReadNumbers(string file, string name, string what, ref Utf8JsonReader reader)
    {
        var numbers = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (numbers.Count == MostDimensions)
                throw new WeightsFileException(file, $"more than {MostDimensions} numbers in the {what} of '{Shown(name)}'", "fewer");
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw new WeightsFileException(
                    file, $"something that is not a whole number from 0 to 2^63 in the {what} of '{Shown(name)}'", "only such numbers");
            numbers.Add(number);
        }

        return [.. numbers];
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type) throw new JsonException($"a {type} was due at byte {reader.TokenStartIndex}");
    }

    /// <summary>A name from a file is shown cut to a length that fits a message, and without control characters.</summary>
    internal static string Shown(string name)
    {
        var cut = name.Length <= 120 ? name : name[..117] + "...";
        return cut.Any(char.IsControl) ? string.Concat(cut.Select(c => char.IsControl(c) ? '?' : c)) : cut;
    }
}
