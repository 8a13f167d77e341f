namespace JepaSharp.Configuration;

/// <summary>One thing that is wrong with a configuration.</summary>
/// <param name="Key">What it is about: <c>data.crop_size</c>, a section, or empty for the file as a whole.</param>
/// <param name="Found">What stands there.</param>
/// <param name="Expected">What should, and what to do.</param>
/// <param name="File">The file, or <c>--set</c> for an override; null for options made in code.</param>
/// <param name="Line">Line in the file, from 1; null where none is known.</param>
public sealed record ConfigurationProblem(string Key, string Found, string Expected, string? File = null, int? Line = null)
{
    /// <summary>The problem on one line: where, which key, found, expected.</summary>
    public override string ToString()
    {
        var where = (File, Line) switch
        {
            ({ } file, { } line) => $"{file}, line {line}: ",
            ({ } file, null) => $"{file}: ",
            _ => "",
        };
        return $"{where}{(Key.Length > 0 ? $"{Key}: " : "")}found {Found}; expected {Expected}";
    }
}
