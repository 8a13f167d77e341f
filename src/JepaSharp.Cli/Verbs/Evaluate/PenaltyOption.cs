using System.CommandLine;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Verbs.Evaluate;

/// <summary>The penalties that a linear model is fitted with.</summary>
internal sealed class PenaltyOption(string unit)
{
    private readonly Option<double[]> _penalties = new("--penalty")
    {
        Description = $"L2 penalties to choose among on held-out fit data, {unit}; a single one is used as it is.",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "P",
    };

    public void AddTo(Command command) => command.Add(_penalties);

    /// <summary>Those given, or null.</summary>
    /// <exception cref="JepaException">One is not above 0.</exception>
    public IReadOnlyList<double>? Read(ParseResult arguments)
    {
        var given = arguments.GetValue(_penalties);
        if (given is not { Length: > 0 }) return null;
        return given.All(p => p > 0 && double.IsFinite(p)) ? given : throw new JepaException("--penalty: expected finite numbers above 0.", isUsage: true);
    }
}
