using JepaSharp.Configuration.Schema;

namespace JepaSharp.Configuration;

/// <summary>An option that has another value in other options.</summary>
/// <param name="Key">Its full name: <c>data.batch_size</c>.</param>
/// <param name="Before">The value there, as in YAML.</param>
/// <param name="After">The value here, as in YAML.</param>
internal sealed record OptionChange(string Key, string Before, string After)
{
    /// <summary>Every option that differs, in the order of the records.</summary>
    public static IReadOnlyList<OptionChange> Between(PretrainOptions before, PretrainOptions after) =>
        [.. from section in OptionSection.All
            from key in section.Keys
            let was = OptionValue.Write(key.Get(section.Get(before)))
            let change = new OptionChange(key.FullName, was, OptionValue.Write(key.Get(section.Get(after))))
            where change.Before != change.After
            select change];

    /// <summary>As the beginning or a part of a sentence.</summary>
    public override string ToString() => $"{Key} was {Before} and is {After}";
}
