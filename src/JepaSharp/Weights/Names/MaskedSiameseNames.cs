namespace JepaSharp.Weights;

/// <summary>The names of MSN's published files, whose projection head is a part of the encoder (<c>fc</c>), and the way to ours.</summary>
internal static class MaskedSiameseNames
{
    private const string Head = "fc.", Scaling = "scaling_bias";

    private static readonly (string Theirs, string Ours)[] Layers = [("fc1", "0"), ("bn1", "1"), ("fc2", "4"), ("bn2", "5"), ("fc3", "8")];

    /// <summary>Whether a network's names are those of an encoder of MSN: with a class token, or with its head.</summary>
    /// <param name="names">Names inside the network, without wrappers.</param>
    public static bool Recognize(IEnumerable<string> names) =>
        names.Any(name => name == StateLayout.ClassToken || name.StartsWith(Head, StringComparison.Ordinal));

    /// <summary>Our name, with the network's; null for what is passed over: running averages, which no training and no encoder reads, and the offsets
    /// of old files.</summary>
    /// <param name="network">"encoder" or "target_encoder".</param>
    /// <param name="name">The name inside it, without wrappers.</param>
    public static string? ToOurs(string network, string name)
    {
        if (name.Contains(Scaling, StringComparison.Ordinal)) return null;
        if (!name.StartsWith(Head, StringComparison.Ordinal)) return $"{network}.{name}";
        if (name.Contains(".running_", StringComparison.Ordinal) || name.EndsWith(".num_batches_tracked", StringComparison.Ordinal)) return null;
        var head = network == NetworkNames.TargetEncoder ? NetworkNames.TargetHead : NetworkNames.Head;
        var (layer, kind) = name[Head.Length..].LastIndexOf('.') is > 0 and var dot
            ? (name.Substring(Head.Length, dot), name[(Head.Length + dot)..])
            : (name[Head.Length..], "");
        return Array.Find(Layers, pair => pair.Theirs == layer).Ours is { } ours ? $"{head}.{ours}{kind}" : $"{network}.{name}";
    }
}
