using System.Text;
using System.Text.Json;
using JepaSharp.Data.Decoding;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Shards;

/// <summary>The images of shards with the texts that they are labelled with, and a count of all that was found.</summary>
/// <param name="read">Reads a member.</param>
/// <param name="key">Entry of the <c>.json</c> files to take the classes from; null for label or cls, or a <c>.cls</c> file.</param>
internal sealed class ShardSamples(Func<TarMember, byte[]> read, string? key)
{
    private const int ShownExtensions = 4;
    private readonly Dictionary<string, int> _passedOver = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _others = new(StringComparer.Ordinal);
    private readonly List<string> _damage = [];
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private int _links, _labels, _shared, _unclear, _disagreeing, _strays, _tooLong;
    private string? _sharing;

    /// <summary>The images, in the shards' order.</summary>
    public List<TarMember> Images { get; } = [];

    /// <summary>Their labels; null where an image has none.</summary>
    public List<string?> Texts { get; } = [];

    /// <summary>Adds a shard.</summary>
    public void Add(TarContents shard)
    {
        if (shard.Damage is { } damage) _damage.Add(damage);
        foreach (var (reason, count) in shard.PassedOver) _passedOver[reason] = _passedOver.GetValueOrDefault(reason) + count;
        _links += shard.Links;
        var members = shard.Members;
        foreach (var kind in members.Where(m => !IsImage(m) && !SampleLabel.IsIn(m.Extension)).Select(m => m.Extension))
            _others[kind] = _others.GetValueOrDefault(kind) + 1;
        var texts = new Dictionary<int, string?>();
        foreach (var group in SampleGroup.Of(members, IsImage, m => SampleLabel.IsIn(m.Extension)))
        {
            _labels += group.Labels;
            if (group.Images.Count > 1)
            {
                _shared += group.Images.Count;
                _sharing ??= $"{members[group.Images[0]].Name} and {members[group.Images[1]].Name}";
            }

            var unclear = _unclear;
            _used.Clear();
            foreach (var image in group.Images) texts[image] = TextOf(group, members[image]);
            if (_unclear == unclear) _strays += group.Labels - _used.Count;
        }

        foreach (var (image, text) in texts.OrderBy(t => t.Key))
        {
            Images.Add(members[image]);
            Texts.Add(text);
        }
    }

    /// <summary>What a user should know. One sentence each.</summary>
    public IEnumerable<string> Notices()
    {
        foreach (var damage in _damage) yield return damage;
        if (Sum() is { } sum) yield return sum;
        if (_links > 0)
            yield return $"{Quantity.Of(_links, "file is a link to another", "files are links to others")} in {Their(_links)} shard: each is read as "
                + "what it links to.";
        if (_shared > 0)
            yield return $"{Quantity.Of(_shared, "image shares its name", "images share their name")} up to the first dot with another, such as "
                + $"{_sharing}: each takes the label that has the whole of its name, or most of it.";
        if (_unclear > 0)
            yield return $"{Quantity.Of(_unclear, "image has", "images have")} several labels under {Their(_unclear)} name, and "
                + $"{(_unclear == 1 ? "counts" : "count")} as without label.";
        if (_disagreeing > 0)
            yield return $"{Quantity.Of(_disagreeing, "image has", "images have")} one label in a .cls and another in a .json: that in the .cls is "
                + "taken; '#label=NAME' behind the path takes an entry of the .json.";
        if (_strays > 0) yield return $"{Quantity.Of(_strays, "file of labels is", "files of labels are")} of no image in {Their(_strays)} shard.";
        if (_tooLong > 0)
            yield return $"{Quantity.Of(_tooLong, "label is", "labels are")} empty or longer than {SampleLabel.MostBytes:N0} bytes, and not read.";
        if (Texts.TrueForAll(t => t is null) && FoldersOf(Images) is { Length: > 1 } folders)
        {
            var shown = string.Join(", ", folders.Take(ShownExtensions)) + (folders.Length > ShownExtensions ? ", ..." : "");
            yield return $"the images lie in the folders {shown}, which are no labels in a shard: unpack it to have them as classes.";
        }
    }

    private static string Their(int count) => count == 1 ? "its" : "their";

    private string? TextOf(SampleGroup group, TarMember image)
    {
        var text = Label("cls", out var isUnclear);
        var other = Label("json", out var isOtherUnclear);
        if (isUnclear || (isOtherUnclear && text is null)) _unclear++;
        if (isUnclear) return null;
        if (text is not null && other is not null && text != other) _disagreeing++;
        return text ?? other;

        string? Label(string extension, out bool unclear)
        {
            if (group.LabelOf(image, extension, out unclear) is not { } label) return null;
            _used.Add(label.Name);
            if (label.Length is > 0 and <= SampleLabel.MostBytes)
            {
                var bytes = read(label);
                return bytes.Length < label.Length ? null : SampleLabel.Read(extension, bytes, key); // Half a label is none.
            }

            _tooLong++;
            return null;
        }
    }

    /// <summary>What was found, read and passed over, where anything was.</summary>
    private string? Sum()
    {
        var passed = _passedOver.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Value:N0} {p.Key}").ToList();
        if (_others.Count > 0)
        {
            var kinds = _others.OrderByDescending(o => o.Value).Select(o => o.Key.Length == 0 ? "without ending" : "." + o.Key).ToArray();
            passed.Add($"{_others.Values.Sum():N0} neither image nor label "
                + $"({string.Join(", ", kinds.Take(ShownExtensions))}{(kinds.Length > ShownExtensions ? ", ..." : "")})");
        }

        if (passed.Count == 0) return null;
        var space = passed[0].IndexOf(' ', StringComparison.Ordinal);
        passed[0] = passed[0].Insert(space, passed[0][..space] == "1" ? " file" : " files");
        var found = Images.Count + _labels + _passedOver.Values.Sum() + _others.Values.Sum();
        return $"{Quantity.Of(found, "file")} found: {Quantity.Of(Images.Count, "image")} and {Quantity.Of(_labels, "file")} of labels taken; passed "
            + $"over: {string.Join(", ", passed)}.";
    }

    private static string[] FoldersOf(List<TarMember> images) =>
        images.TrueForAll(i => i.Name.Contains('/', StringComparison.Ordinal))
            ? [.. images.Select(i => i.Name[..i.Name.LastIndexOf('/')]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]
            : [];

    private static bool IsImage(TarMember member) => ImageFileFormat.Extensions.Contains(member.Extension);
}

/// <summary>The label that a WebDataset sample carries: a <c>.cls</c> text, or <c>label</c> or <c>cls</c> in a <c>.json</c> object.</summary>
internal static class SampleLabel
{
    /// <summary>No label is longer.</summary>
    public const int MostBytes = 1 << 20;

    private static readonly string[] Keys = ["label", "cls"];

    /// <summary>Whether files of an extension may carry a label.</summary>
    public static bool IsIn(string extension) => extension is "cls" or "json";

    /// <summary>The label as text, or null where there is none to be found.</summary>
    /// <param name="extension">"cls" or "json".</param>
    /// <param name="bytes">The file, UTF-8.</param>
    /// <param name="key">Which entry of a JSON object; null for label or cls.</param>
    public static string? Read(string extension, byte[] bytes, string? key)
    {
        if (extension == "cls") return key is null or "cls" ? Encoding.UTF8.GetString(bytes).Trim() is { Length: > 0 } text ? text : null : null;
        try
        {
            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            foreach (var wanted in key is null ? Keys : [key])
            {
                if (!document.RootElement.TryGetProperty(wanted, out var value)) continue;
                if (value.ValueKind is JsonValueKind.String) return value.GetString();
                if (value.ValueKind is JsonValueKind.Number) return value.GetRawText();
            }
        }
        catch (JsonException)
        {
            // Counted among the images without label.
        }

        return null;
    }
}
