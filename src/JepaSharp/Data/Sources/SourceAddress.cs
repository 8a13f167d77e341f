using System.Globalization;
using System.Text.RegularExpressions;
using JepaSharp.Data.Sources.Folders;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>A path and what follows it: <c>PATH#key=value&amp;key=value</c>. Works wherever a path of images is asked for.</summary>
/// <remarks>A path that exists as it stands is taken literally, whatever characters it has.</remarks>
internal sealed partial record SourceAddress
{
    private static readonly string[] Keys = ["label", "where", "images", "image", "part", "only", "test-share", "train-share", "size", "width",
        "seed", "first"];

    /// <summary>The path alone.</summary>
    public required string Path { get; init; }

    /// <summary><c>label=COLUMN</c>: what to take the classes from.</summary>
    public string? Label { get; init; }

    /// <summary><c>where=COLUMN=VALUE</c>, <c>where=COLUMN!=VALUE</c>, values separated by '|'; all must hold.</summary>
    public IReadOnlyList<RowCondition> Where { get; init; } = [];

    /// <summary><c>part=NAME</c>: which part of a set that comes in several, such as train and test.</summary>
    public string? Part { get; init; }

    /// <summary><c>images=FOLDER</c>: where the images lie whose relative paths a list or an annotation file gives.</summary>
    public string? Images { get; init; }

    /// <summary><c>image=COLUMN</c>: which column of a table holds the images.</summary>
    public string? Image { get; init; }

    /// <summary><c>only=FILE</c>: only the images whose names a file lists, one a line.</summary>
    public string? Only { get; init; }

    /// <summary><c>test-share=S</c>: only the share S that is held out by name; <c>train-share=S</c>: all but the share 1 - S that is held out by
    /// name. Of several, each is a share of what the one before left.</summary>
    public IReadOnlyList<(decimal Share, bool HeldOut)> Shares { get; init; } = [];

    /// <summary><c>size=S</c>, <c>seed=K</c>, <c>first=I</c>: built-in scenes.</summary>
    public IReadOnlyDictionary<string, int> Numbers { get; init; } = new Dictionary<string, int>();

    /// <summary>Takes an address apart.</summary>
    /// <exception cref="JepaException">An unknown key, or a value that cannot be.</exception>
    public static SourceAddress Parse(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            throw new JepaException(
                "The path of the images is empty. Expected a folder, a list, tar shards, Parquet, a pack, or scenes:COUNT.", isUsage: true);
        text = HomePath.Expand(text);
        var mark = MarkIn(text);
        if (mark <= 0) return new SourceAddress { Path = GivenPath.Of(text) };
        var address = new SourceAddress { Path = GivenPath.Of(text[..mark]) };
        var conditions = new List<RowCondition>();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var option in OptionsOf(text[(mark + 1)..]))
        {
            var equals = option.IndexOf('=', StringComparison.Ordinal);
            var (key, value) = equals < 0 ? (option, "") : (option[..equals], option[(equals + 1)..]);
            if (!Keys.Contains(key, StringComparer.Ordinal))
                throw new JepaException(
                    $"\"{key}\" in {text} is unknown. After '#' come {string.Join(", ", Keys.Select(k => k + "="))}, separated by '&'.",
                    isUsage: true);
            if (value.Length == 0) throw new JepaException($"\"{key}\" in {text} has no value. Write {key}=VALUE.", isUsage: true);
            if (key is not ("where" or "test-share" or "train-share") && !given.Add(key))
                throw new JepaException($"\"{key}\" in {text} is given twice. Expected once: which of the two is meant is not known.", isUsage: true);
            switch (key)
            {
                case "label": address = address with { Label = value }; break;
                case "images": address = address with { Images = HomePath.Expand(value) }; break;
                case "image": address = address with { Image = value }; break;
                case "only": address = address with { Only = HomePath.Expand(value) }; break;
                case "part": address = address with { Part = value }; break;
                case "test-share": address = address with { Shares = [.. address.Shares, (Share(text, key, value), true)] }; break;
                case "train-share": address = address with { Shares = [.. address.Shares, (1 - Share(text, key, value), false)] }; break;
                case "where": conditions.Add(RowCondition.Parse(value)); break;
                default: numbers[key] = Number(text, key, value); break;
            }
        }

        return address with { Where = conditions, Numbers = numbers };
    }

    /// <summary>The address with whole paths, which means the same from every folder.</summary>
    public static string Whole(string text)
    {
        text = HomePath.Expand(text);
        var mark = MarkIn(text);
        var path = mark <= 0 ? text : text[..mark];
        if (path.Contains(':', StringComparison.Ordinal) && !System.IO.Path.Exists(path)) return text; // scenes:8000
        var options = mark <= 0 ? [] : OptionsOf(text[(mark + 1)..]).Select(option => option.Split('=', 2) switch
        {
            [("images" or "only") and var key, var value] => $"{key}={System.IO.Path.GetFullPath(HomePath.Expand(value))}",
            _ => option,
        }).ToList();
        return System.IO.Path.GetFullPath(path) + (options.Count == 0 ? "" : "#" + string.Join('&', options));
    }

    /// <summary>Where the options begin: at the first '#' behind something that exists, else at the last; -1 where there are none.</summary>
    private static int MarkIn(string text)
    {
        if (IsThere(text)) return -1;
        for (var mark = text.IndexOf('#', 1); mark > 0; mark = text.IndexOf('#', mark + 1))
            if (IsThere(text[..mark])) return mark;
        return text.LastIndexOf('#');
    }

    private static bool IsThere(string path) => GivenPath.Of(path) is var given && (RegularFile.IsFolder(given) || RegularFile.Exists(given));

    /// <summary>An '&amp;' within a name of a folder is no end of an option.</summary>
    private static IEnumerable<string> OptionsOf(string text) => BetweenOptions().Split(text).Where(option => option.Length > 0);

    [GeneratedRegex("&(?=[A-Za-z-]*(?:=|&|$))")]
    private static partial Regex BetweenOptions();

    /// <summary>Refuses options that this kind of source has no use for, rather than pass them over.</summary>
    /// <param name="kind">What the source is, in words.</param>
    /// <param name="label">Whether it can take a label column.</param>
    /// <param name="where">Whether its rows can be chosen.</param>
    /// <param name="part">Whether it comes in parts.</param>
    /// <param name="numbers">Whether it is made to order.</param>
    /// <param name="images">Whether its images may lie in another folder.</param>
    /// <param name="image">Whether its images are a column.</param>
    public void Allow(string kind, bool label = false, bool where = false, bool part = false, bool numbers = false, bool images = false,
        bool image = false)
    {
        var refused = (Label is not null && !label) ? "label"
            : (Where.Count > 0 && !where) ? "where"
            : (Part is not null && !part) ? "part"
            : (Images is not null && !images) ? "images"
            : (Image is not null && !image) ? "image"
            : (Numbers.Count > 0 && !numbers) ? Numbers.Keys.First() : null;
        if (refused is not null) throw new JepaException($"\"{refused}=\" means nothing for {Path}, which is {kind}. Leave it out.", isUsage: true);
    }

    private static decimal Share(string text, string key, string value) =>
        decimal.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) && share is > 0 and < 1
            ? share
            : throw new JepaException($"{key}={value} in {text}: expected a number above 0 and below 1, such as 0.1.", isUsage: true);

    private static int Number(string text, string key, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new JepaException($"{key}={value} in {text}: expected a whole number, 0 or more.", isUsage: true);
}

/// <summary>A condition on a column: its text is one of the values, or none of them.</summary>
/// <param name="Column">Name of the column.</param>
/// <param name="Values">Texts to compare with, exactly.</param>
/// <param name="IsNegated">Whether the text must be none of them.</param>
internal sealed record RowCondition(string Column, IReadOnlyList<string> Values, bool IsNegated)
{
    /// <summary>Reads <c>COLUMN=VALUE</c>, <c>COLUMN!=VALUE</c> or <c>COLUMN=ONE|OTHER</c>.</summary>
    /// <exception cref="JepaException">It is neither.</exception>
    public static RowCondition Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var isNegated = equals > 0 && text[equals - 1] == '!';
        var column = equals < 0 ? "" : text[..(isNegated ? equals - 1 : equals)];
        if (column.Length == 0)
            throw new JepaException(
                $"where={text} is no condition. Write where=COLUMN=VALUE, or where=COLUMN!=VALUE; several values are separated by '|'.",
                isUsage: true);
        return new RowCondition(column, text[(equals + 1)..].Split('|'), isNegated);
    }

    /// <summary>Whether a row's text in the column meets the condition.</summary>
    public bool Holds(string value) => Values.Contains(value, StringComparer.Ordinal) != IsNegated;
}
