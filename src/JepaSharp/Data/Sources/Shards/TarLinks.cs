namespace JepaSharp.Data.Sources.Shards;

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
