namespace JepaSharp.Data.Sources.Shards;

/// <summary>Members of a shard that share their name up to the first dot, and which label goes to which of the images among them.</summary>
/// <remarks>
/// Where one sample is meant, as WebDataset has it (<c>x.left.png</c>, <c>x.right.png</c>, <c>x.cls</c>), all its images take its label.
/// Where names have dots in them (<c>cam1.0001.png</c>, <c>cam1.0001.cls</c>, <c>cam1.0002.png</c>) an image takes the label whose name is
/// the whole of its own, or the longest beginning of it. Where that leaves more than one it has none, and that is said.
/// </remarks>
/// <param name="key">What they share.</param>
internal sealed class SampleGroup(string key)
{
    private const int MostCuts = 32;
    private readonly Dictionary<(string Extension, string Stem), (TarMember Label, int Count)> _byStem = [];
    private readonly Dictionary<string, (TarMember Label, int Count)> _byExtension = new(StringComparer.Ordinal);

    /// <summary>Places of the images in the shard's list.</summary>
    public List<int> Images { get; } = [];

    /// <summary>How many labels there are.</summary>
    public int Labels => _byExtension.Values.Sum(l => l.Count);

    /// <summary>An image's label of a kind; null where there is none, or where it cannot be told which of several it is.</summary>
    /// <param name="image">The image.</param>
    /// <param name="extension">"cls" or "json".</param>
    /// <param name="isUnclear">Whether there are several, of which none is nearer than the others.</param>
    public TarMember? LabelOf(TarMember image, string extension, out bool isUnclear)
    {
        isUnclear = false;
        if (!_byExtension.TryGetValue(extension, out var all)) return null;
        foreach (var stem in Beginnings(image.Stem))
        {
            if (!_byStem.TryGetValue((extension, stem), out var found)) continue;
            isUnclear = found.Count > 1;
            return isUnclear ? null : found.Label;
        }

        if (Images.Count > 1) return null;
        isUnclear = all.Count > 1; // x.png with x.fine.cls and x.coarse.cls; with one of them it is clear.
        return !isUnclear && all.Label.Stem.StartsWith(image.Stem + ".", StringComparison.Ordinal) ? all.Label : null;
    }

    /// <summary>The groups of a shard, in the order of their first members.</summary>
    /// <remarks>
    /// Members of one name need not follow each other; but where a whole name comes twice, as in shards put together of others, only those that
    /// do are one sample.
    /// </remarks>
    /// <param name="members">The shard's list.</param>
    /// <param name="isImage">Whether a member is an image; those that are neither images nor labels are in no group.</param>
    /// <param name="isLabel">Whether a member may hold a label.</param>
    public static IEnumerable<SampleGroup> Of(List<TarMember> members, Func<TarMember, bool> isImage, Func<TarMember, bool> isLabel)
    {
        var names = new HashSet<string>(members.Count, StringComparer.Ordinal);
        var repeated = members.Where(m => !names.Add(m.Name)).Select(m => m.Key).ToHashSet(StringComparer.Ordinal);
        var groups = new Dictionary<string, SampleGroup>(StringComparer.Ordinal);
        var ordered = new List<SampleGroup>();
        string? before = null;
        foreach (var (place, member) in members.Index())
        {
            var key = member.Key;
            if (key != before && repeated.Contains(key)) groups.Remove(key);
            before = key;
            if (!isImage(member) && !isLabel(member)) continue;
            if (!groups.TryGetValue(key, out var group)) ordered.Add(groups[key] = group = new SampleGroup(key));
            if (isImage(member)) group.Images.Add(place);
            else group.AddLabel(member);
        }

        return ordered;
    }

    private void AddLabel(TarMember label)
    {
        var (extension, stem) = (label.Extension, label.Stem);
        _byExtension[extension] = _byExtension.TryGetValue(extension, out var all) ? (all.Label, all.Count + 1) : (label, 1);
        _byStem[(extension, stem)] = _byStem.TryGetValue((extension, stem), out var same) ? (same.Label, same.Count + 1) : (label, 1);
    }

    /// <summary>A name and what is left of it as one part after the other is cut off at a dot, down to the key.</summary>
    private IEnumerable<string> Beginnings(string stem)
    {
        for (var cut = 0; cut < MostCuts && stem.Length > key.Length; cut++)
        {
            yield return stem;
            stem = stem[..stem.LastIndexOf('.')];
        }

        yield return key;
    }
}

/// <summary>Where a file lies inside a tar shard.</summary>
/// <param name="Shard">Number of the shard.</param>
/// <param name="Offset">First byte of the content in the shard.</param>
/// <param name="Length">Bytes of the content.</param>
/// <param name="Name">Path inside the shard, '/' between its parts.</param>
internal readonly record struct TarMember(int Shard, long Offset, long Length, string Name)
{
    private int Dot
    {
        get
        {
            var dot = Name.IndexOf('.', Name.LastIndexOf('/') + 1);
            return dot < 0 ? Name.Length : dot;
        }
    }

    /// <summary>What the members of one sample share: the path up to the first dot of its last part, as WebDataset has it.</summary>
    public string Key => Name[..Dot];

    /// <summary>The path without its last extension: "a/b.left" of "a/b.left.JPG".</summary>
    public string Stem => Name[..^(Extension.Length == 0 ? 0 : Extension.Length + 1)];

    /// <summary>The last extension in lower case, without the dot: "jpg" of "a/b.left.JPG".</summary>
    public string Extension => Path.GetExtension(Name[Dot..]).TrimStart('.').ToLowerInvariant();
}

/// <summary>Links inside a shard: a member that has another's content. Only members of the same shard are ever followed to.</summary>
internal sealed class TarLinks
{
    private const int MostSteps = 40;
    private readonly Dictionary<string, (string Target, bool IsSymbolic)> _links = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TarMember> _files = new(StringComparer.Ordinal);

    /// <summary>Notes a regular file; a later one of the same name is what a link means.</summary>
    public void Add(TarMember file) => _files[Plain(file.Name)] = file;

    /// <summary>Notes a link.</summary>
    public void Add(string name, string target, bool isSymbolic) => _links[Plain(name)] = (target, isSymbolic);

    /// <summary>The regular file that a link leads to; null where it leads nowhere, out of the shard, or in a circle.</summary>
    public TarMember? Follow(string name)
    {
        var at = Plain(name);
        for (var step = 0; step < MostSteps; step++)
        {
            if (_files.TryGetValue(at, out var file)) return file;
            if (!_links.TryGetValue(at, out var link)) return null;
            var folder = link.IsSymbolic && !link.Target.StartsWith('/') ? at[..(at.LastIndexOf('/') + 1)] : "";
            if (link.IsSymbolic && link.Target.StartsWith('/')) return null;
            at = Plain(folder + link.Target);
        }

        return null;
    }

    /// <summary>A path without "." and ".." parts; what leads above the shard keeps a "..", and so is found nowhere.</summary>
    private static string Plain(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".") continue;
            if (part == ".." && parts.Count > 0 && parts[^1] != "..") parts.RemoveAt(parts.Count - 1);
            else parts.Add(part);
        }

        return string.Join('/', parts);
    }
}
