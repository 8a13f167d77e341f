namespace JepaSharp.Data.Sources.Shards;

/// <summary>The files of a shard that may be of use, and how many of what were passed over.</summary>
internal sealed class TarContents
{
    private readonly Dictionary<string, int> _passedOver = new(StringComparer.Ordinal);

    /// <summary>Regular files and links to them, in the shard's order.</summary>
    public List<TarMember> Members { get; } = [];

    /// <summary>Members that are links to others: each is read as what it points to.</summary>
    public int Links { get; set; }

    /// <summary>What is wrong with the shard's end, where it breaks off; null for a whole one.</summary>
    public string? Damage { get; set; }

    /// <summary>Members that were passed over, by the reason in words.</summary>
    public IReadOnlyDictionary<string, int> PassedOver => _passedOver;

    /// <summary>Counts a member that is passed over.</summary>
    public void PassOver(string reason) => _passedOver[reason] = _passedOver.GetValueOrDefault(reason) + 1;

    /// <summary>Why a file of this name is none of a set; null for any other name.</summary>
    public static string? ReasonOf(string name)
    {
        foreach (var part in name.Split('/'))
        {
            if (part is "__MACOSX" or ".DS_Store" || part.StartsWith("._", StringComparison.Ordinal)) return "that a Mac adds (._NAME, __MACOSX)";
            if (part == "@eaDir") return "that a NAS adds (@eaDir)";
            if (part.StartsWith("PaxHeader", StringComparison.Ordinal)) return "of attributes (PaxHeaders)";
            if (part.StartsWith('.') && part is not ("." or "..")) return "hidden (.NAME)";
        }

        return null;
    }
}
