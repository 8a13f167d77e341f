using System.Formats.Tar;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Shards;

/// <summary>Lists what a tar holds by its headers alone; contents are skipped, not read.</summary>
internal static class TarIndex
{
    /// <summary>The regular files of a shard, in its order.</summary>
    /// <param name="path">The shard.</param>
    /// <param name="shard">Its number.</param>
    /// <param name="damage">What is wrong with its end, where it breaks off; null for a whole shard.</param>
    /// <exception cref="JepaException">The file is missing, compressed, or no tar from its first byte.</exception>
    public static List<TarMember> Read(string path, int shard, out string? damage)
    {
        var members = new List<TarMember>();
        damage = null;
        try
        {
            using var stream = RegularFile.OpenRead(path);
            RefuseCompressed(path, stream);
            using var reader = new TarReader(stream);
            try
            {
                while (reader.GetNextEntry() is { } entry)
                {
                    if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile)) continue;
                    var member = new TarMember(shard, entry.DataOffset, entry.Length, entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name);
                    if (member.Offset < 0 && member.Length == 0) member = member with { Offset = 0 };
                    members.Add(member);
                    if (member.Offset + member.Length <= stream.Length) continue;
                    damage = $"{path} is cut short in {member.Name}: fetch it again.";
                    break;
                }
            }
            catch (Exception e) when (e is InvalidDataException or FormatException or EndOfStreamException or ArgumentException or OverflowException or InvalidOperationException or NotSupportedException)
            {
                if (members.Count == 0) throw new JepaException($"{path} is no tar archive, or its first header is damaged ({e.Message}).", isUsage: true, e);
                damage = $"{path} is damaged or cut short after {members[^1].Name}: fetch it again.";
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{path} cannot be read: {e.Message}", isUsage: true, e);
        }

        return members;
    }

    private static void RefuseCompressed(string path, FileStream stream)
    {
        Span<byte> head = stackalloc byte[2];
        if (stream.ReadAtLeast(head, 2, throwOnEndOfStream: false) == 2 && head is [0x1f, 0x8b])
            throw new JepaException($"{path} is compressed: an image in it cannot be read without all before it. Unpack it, with gunzip for shards or with tar -xzf for a folder of images; JPEGs gain nothing from it.", isUsage: true);
        stream.Position = 0;
    }
}
