namespace JepaSharp.Configuration.Yaml;

/// <summary>A piece of a YAML document that remembers its line (from 1; 0 where it came from no file).</summary>
internal abstract record YamlNode(int Line)
{
    /// <summary>What a person would call it in "found ...".</summary>
    public abstract string Describe();
}

/// <summary>One value. <paramref name="IsPlain"/>: without quotes, so that <c>null</c>, <c>true</c> and <c>1</c> are no text.</summary>
internal sealed record YamlScalar(string Text, bool IsPlain, int Line) : YamlNode(Line)
{
    private const int LongestShown = 60;

    /// <summary>Absent, <c>~</c> or <c>null</c>.</summary>
    public bool IsNull => IsPlain && Text is ("" or "~" or "null" or "Null" or "NULL");

    public override string Describe() => this switch
    {
        { IsNull: true } => "nothing (null)",
        { IsPlain: true } => Shortened(Text),
        _ => $"the text \"{Shortened(Text)}\"",
    };

    private static string Shortened(string text) => text.Length <= LongestShown ? text : $"{text[..LongestShown]}...";
}

/// <summary>A list, in block or flow style.</summary>
internal sealed record YamlList(IReadOnlyList<YamlNode> Items, int Line) : YamlNode(Line)
{
    public override string Describe() =>
        Items.All(item => item is YamlScalar) && Items.Count <= 8
            ? $"[{string.Join(", ", Items.Select(item => item.Describe()))}]"
            : $"a list of {Items.Count} things";
}

/// <summary>Keys and values in the order of the file; a key may stand twice, which is for the reader to complain about.</summary>
internal sealed record YamlMap(IReadOnlyList<KeyValuePair<YamlScalar, YamlNode>> Entries, int Line) : YamlNode(Line)
{
    public override string Describe() => "a section with keys of its own";
}
