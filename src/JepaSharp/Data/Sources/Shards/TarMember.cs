namespace JepaSharp.Data.Sources.Shards;

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
