using System.Formats.Tar;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Shards;

/// <summary>Lists what a tar holds by its headers alone; contents are skipped, not read.</summary>
internal static class TarIndex
{
    private const string Dangling = "linked to no file in the shard";

    /// <summary>The files of a shard, in its order.</summary>
    /// <param name="path">The shard.</param>
    /// <param name="shard">Its number.</param>
    /// <exception cref="JepaException">The file is missing, compressed, or no tar from its first byte.</exception>
    public static TarContents Read(string path, int shard)
    {
        var contents = new TarContents();
        try
        {
            using var stream = RegularFile.OpenRead(path);
            RefuseForeign(path, stream);
            using var reader = new TarReader(stream);
            Read(path, shard, stream, reader, contents);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{path} cannot be read: {e.Message}", isUsage: true, e);
        }

        return contents;
    }

    private static void Read(string path, int shard, FileStream stream, TarReader reader, TarContents contents)
    {
        var links = new TarLinks();
        var pending = new List<(int At, string Name)>();
        string? last = null;
        try
        {
            while (contents.Damage is null && reader.GetNextEntry() is { } entry)
            {
                last = NameOf(entry);
                switch (entry.EntryType)
                {
                    case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                        var member = new TarMember(shard, entry.DataOffset, entry.Length, last);
                        if (member.Offset < 0 && member.Length == 0) member = member with { Offset = 0 };
                        links.Add(member);
                        if (member.Offset + member.Length > stream.Length) contents.Damage = $"{path} is cut short in {member.Name}: fetch it again.";
                        if (TarContents.ReasonOf(last) is { } reason) contents.PassOver(reason);
                        else contents.Members.Add(member);
                        break;
                    case TarEntryType.HardLink or TarEntryType.SymbolicLink:
                        links.Add(last, entry.LinkName, entry.EntryType == TarEntryType.SymbolicLink);
                        if (TarContents.ReasonOf(last) is { } why) contents.PassOver(why);
                        else pending.Add((contents.Members.Count, last));
                        break;
                    case TarEntryType.Directory or TarEntryType.DirectoryList or TarEntryType.GlobalExtendedAttributes:
                        break;
                    default:
                        contents.PassOver("of a kind that is not read (sparse, devices, pipes)");
                        break;
                }
            }
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or EndOfStreamException or ArgumentException or OverflowException
            or InvalidOperationException or NotSupportedException)
        {
            if (last is null) throw new JepaException($"{path} is no tar archive, or its first header is damaged ({e.Message}).", isUsage: true, e);
            contents.Damage = $"{path} is damaged or cut short after {last}: fetch it again.";
        }

        TakeLinks(contents, links, pending);
    }

    /// <summary>Puts links in their places, with the content of what they lead to.</summary>
    private static void TakeLinks(TarContents contents, TarLinks links, List<(int At, string Name)> pending)
    {
        if (pending.Count == 0) return;
        var files = contents.Members.ToArray();
        contents.Members.Clear();
        var next = 0;
        foreach (var (at, name) in pending)
        {
            contents.Members.AddRange(files.AsSpan(next, at - next));
            next = at;
            if (links.Follow(name) is { } target) contents.Members.Add(target with { Name = name });
            else contents.PassOver(Dangling);
        }

        contents.Links = pending.Count - contents.PassedOver.GetValueOrDefault(Dangling);
        contents.Members.AddRange(files.AsSpan(next));
    }

    private static string NameOf(TarEntry entry) => entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;

    private static void RefuseForeign(string path, FileStream stream)
    {
        var head = new byte[ForeignContent.HeadBytes];
        var read = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        if (ForeignContent.Of(head.AsSpan(0, read)) is { IsTar: false, IsBlank: false } foreign)
        {
            var isPacked = foreign.Unpack is not null && !foreign.What.EndsWith("archive", StringComparison.Ordinal);
            throw new JepaException(
                isPacked
                    ? $"{path} is {foreign.What}: an image in it cannot be read without all before it. Unpack it, with {foreign.Unpack} for "
                        + "shards or with tar -xf for a folder of images; JPEGs gain nothing from it."
                    : $"{path} is no tar archive but {foreign.What}: {foreign.Remedy}.",
                isUsage: true);
        }

        stream.Position = 0;
    }
}

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
