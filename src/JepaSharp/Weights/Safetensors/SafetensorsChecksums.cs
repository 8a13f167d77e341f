using System.Globalization;
using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Weights;

/// <summary>
/// Checksums that our safetensors files carry in their metadata: CRC-32C of the header's content, then of each tensor's bytes, the tensors in
/// order of their names.
/// </summary>
/// <remarks>
/// They are of the content, not of the header's bytes: another program that writes the same tensors and texts anew leaves them true. A file
/// without them still opens.
/// </remarks>
internal static class SafetensorsChecksums
{
    /// <summary>The key among the header's texts.</summary>
    public const string Key = "jepasharp_crc32c";

    /// <summary>What stands at the key until the tensors are written; as long as what will.</summary>
    public static string Placeholder(int tensors) => string.Join(' ', Enumerable.Repeat("00000000", tensors + 1));

    /// <summary>What stands at the key.</summary>
    /// <param name="metadata">The header's other texts.</param>
    /// <param name="tensors">Names, types (as in the header), shapes and checksums, in any order.</param>
    public static string Of(
        IEnumerable<KeyValuePair<string, string>> metadata,
        IEnumerable<(string Name, string Type, IReadOnlyList<long> Shape, uint Checksum)> tensors)
    {
        var ordered = tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal).ToList();
        var content = Content(metadata, ordered.Select(tensor => (tensor.Name, tensor.Type, tensor.Shape)));
        return string.Join(' ', ordered.Select(tensor => tensor.Checksum).Prepend(content).Select(Hex));
    }

    /// <summary>Takes the checksums out of a header's texts, and checks the header by them.</summary>
    /// <returns>By the tensors' names; null where the file carries none.</returns>
    /// <exception cref="WeightsFileException">The header is not the one that was written.</exception>
    public static IReadOnlyDictionary<string, uint>? Take(string file, Dictionary<string, string> metadata, IReadOnlyList<SafetensorsEntry> entries)
    {
        if (!metadata.Remove(Key, out var text)) return null;
        var ordered = entries.OrderBy(entry => entry.Name, StringComparer.Ordinal).ToList();
        var numbers = text.Length == (9 * ordered.Count) + 8 ? text.Split(' ') : [];
        var checksums = new Dictionary<string, uint>();
        var described = ordered.Select(entry => (entry.Name, ElementType.SafetensorsName(entry.Type), (IReadOnlyList<long>)entry.Shape));
        if (numbers.Length != ordered.Count + 1 || numbers[0] != Hex(Content(metadata, described))) throw Damaged(file, "a header");
        foreach (var (entry, number) in ordered.Zip(numbers.Skip(1)))
        {
            if (!uint.TryParse(number, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var checksum))
                throw Damaged(file, "a header");
            checksums.Add(entry.Name, checksum);
        }

        return checksums;
    }

    /// <summary>What to say of something whose checksum differs.</summary>
    public static WeightsFileException Damaged(string file, string what) => new(
        file,
        $"{what} that is not what was written (its checksum differs)",
        "the file as it was written: it is damaged, so use another copy of it or another checkpoint. "
        + $"If a program changed it on purpose, leave {Key} out of its metadata");

    private static uint Content(
        IEnumerable<KeyValuePair<string, string>> metadata, IEnumerable<(string Name, string Type, IReadOnlyList<long> Shape)> tensors)
    {
        var crc = 0u;
        foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) Add($"{key}={value}\n");
        foreach (var (name, type, shape) in tensors) Add($"{name} {type} [{string.Join(", ", shape)}]\n");
        return crc;

        void Add(string line) => crc = Crc32C.Append(crc, Encoding.UTF8.GetBytes(line));
    }

    private static string Hex(uint checksum) => checksum.ToString("x8", CultureInfo.InvariantCulture);
}
