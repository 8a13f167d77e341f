using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace JepaSharp.Configuration.Yaml;

/// <summary>Turns YAML text into nodes that know their lines. Anchors, aliases and deep nesting, which no configuration needs, are refused.</summary>
internal static class YamlTree
{
    private const int DeepestNesting = 16;

    /// <summary>The one document of a text; a null scalar where it is empty.</summary>
    /// <exception cref="YamlException">The text is not YAML, or uses what a configuration does not need; carries line and column.</exception>
    public static YamlNode Parse(string text)
    {
        using var reader = new StringReader(text);
        var parser = new Parser(reader);
        try
        {
            return Document(parser);
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // YamlDotNet 18 meets some broken texts ('{---' and a block scalar, for one) with an exception that is not its own.
            var place = parser.Current?.End ?? Mark.Empty;
            throw new YamlException(place, place, "what follows cannot be read; a bracket or a quote may be left open", error);
        }
    }

    private static YamlNode Document(Parser parser)
    {
        parser.Consume<StreamStart>();
        if (parser.Accept<StreamEnd>(out _)) return new YamlScalar("", true, 1);
        parser.Consume<DocumentStart>();
        var root = Node(parser, 0);
        parser.Consume<DocumentEnd>();
        if (parser.TryConsume<DocumentStart>(out var second))
            throw new YamlException(second.Start, second.End, "a second document starts here, and a configuration is one document");
        return root;
    }

    private static YamlNode Node(Parser parser, int depth)
    {
        var next = parser.Consume<ParsingEvent>();
        if (next is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
            throw new YamlException(next.Start, next.End, "anchors (&) and aliases (*) are not used in a configuration; write the value out");
        if (depth > DeepestNesting)
            throw new YamlException(next.Start, next.End, "nested too deeply for a configuration, which has sections, keys and values");
        var line = (int)next.Start.Line;
        return next switch
        {
            Scalar scalar => new YamlScalar(scalar.Value, scalar.Style is ScalarStyle.Plain, line),
            SequenceStart => new YamlList(Items(parser, depth), line),
            MappingStart => new YamlMap(Entries(parser, depth), line),
            _ => throw new YamlException(next.Start, next.End, "a value was expected here"),
        };
    }

    private static List<YamlNode> Items(Parser parser, int depth)
    {
        var items = new List<YamlNode>();
        while (!parser.TryConsume<SequenceEnd>(out _)) items.Add(Node(parser, depth + 1));
        return items;
    }

    private static List<KeyValuePair<YamlScalar, YamlNode>> Entries(Parser parser, int depth)
    {
        var entries = new List<KeyValuePair<YamlScalar, YamlNode>>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            parser.Accept<ParsingEvent>(out var at);
            if (Node(parser, depth + 1) is not YamlScalar key)
                throw new YamlException(at?.Start ?? Mark.Empty, at?.End ?? Mark.Empty, "a key must be a plain word");
            entries.Add(new(key, Node(parser, depth + 1)));
        }
        return entries;
    }
}

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
