using JepaSharp.Runtime;

namespace JepaSharp.Configuration.Schema;

/// <summary>Problems for sections and keys that do not exist, each with the name that was probably meant.</summary>
internal static class UnknownName
{
    public static ConfigurationProblem Section(string written, string? file, int? line, string? key = null)
    {
        var names = OptionSection.All.Select(section => section.Name).ToArray();
        var full = key is null ? written : $"{written}.{key}";
        var expected = NearestName.Of(written, names) switch
        {
            { } near => $"{(key is null ? near : $"{near}.{key}")}, perhaps",
            null when Suggest(full) is { } elsewhere => $"{elsewhere}, perhaps",
            null => $"one of the sections {string.Join(", ", names)}",
        };
        return new(full, "an unknown section", expected, file, line);
    }

    public static ConfigurationProblem Key(OptionSection section, string written, string? file, int? line)
    {
        var full = $"{section.Name}.{written}";
        var known = string.Join(", ", section.Keys.Select(key => key.Name));
        var expected = Suggest(written, section) is { } near ? $"{near}, perhaps" : $"one of {known}";
        return new(full, "an unknown key", expected, file, line);
    }

    /// <summary>The key that was probably meant, with its section: the same elsewhere, else the nearest here, else the nearest anywhere.</summary>
    public static string? Suggest(string written, OptionSection? here = null)
    {
        var name = written.Split('.')[^1];
        var everywhere = OptionSection.All.SelectMany(section => section.Keys).ToArray();
        var same = everywhere.FirstOrDefault(key => key.Name == name);
        return same?.FullName ?? Nearest(name, here?.Keys ?? []) ?? Nearest(name, everywhere);
    }

    private static string? Nearest(string written, IReadOnlyList<OptionKey> keys)
    {
        var near = NearestName.Of(written, keys.Select(key => key.Name));
        return keys.FirstOrDefault(key => key.Name == near)?.FullName;
    }
}
