using System.Text.RegularExpressions;
using JepaSharp.Runtime;

namespace JepaSharp.Cli;

/// <summary>
/// Does in a command line what the shell leaves undone after an equals sign or in quotes: <c>--out=~/runs/a</c>, <c>--set
/// data.path=~/photos</c>.
/// </summary>
internal static partial class HomeFolders
{
    private const string OptionAndKey = "(?:--?[A-Za-z][A-Za-z-]*=)?(?:[a-z]+\\.[a-z0-9_]+=)?";

    /// <summary>The arguments, with a leading <c>~/</c> made the home folder wherever a path may begin.</summary>
    /// <exception cref="JepaException">One begins with the home of another user, which only the shell knows.</exception>
    public static IReadOnlyList<string> In(IReadOnlyList<string> arguments) => [.. arguments.Select(In)];

    private static string In(string argument)
    {
        if (Own().Match(argument) is { Success: true } own)
        {
            var path = own.Groups["path"].Value;
            return own.Groups["before"].Value + HomePath.Expand(path is "~" ? "~/" : path);
        }

        if (Others().Match(argument) is not { Success: true } other || Path.Exists(other.Groups["path"].Value)) return argument;
        var user = other.Groups["user"].Value;
        throw new JepaException(
            $"{argument}: the shell did not replace {user}, another user's home. Give the whole path (or ./{user} for a folder of that name).",
            isUsage: true);
    }

    [GeneratedRegex($"^(?<before>{OptionAndKey})(?<path>~(?:/.*)?)$", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Own();

    [GeneratedRegex($"^{OptionAndKey}(?<path>(?<user>~[a-z_][a-z0-9_-]*)/.*)$", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Others();
}
