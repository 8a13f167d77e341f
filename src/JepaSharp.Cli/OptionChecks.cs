using System.CommandLine;
using System.Globalization;

namespace JepaSharp.Cli;

/// <summary>Checks of options' values that several verbs make.</summary>
internal static class OptionChecks
{
    /// <summary>Refuses numbers below <paramref name="least"/>. What is no number at all, the parser reports itself.</summary>
    public static void RequireAtLeast(this Option option, long least) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && long.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) && value < least)
            result.AddError($"{option.Name} {token.Value}: expected at least {least}.");
    });
}
