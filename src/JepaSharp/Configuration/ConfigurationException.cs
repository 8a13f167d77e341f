using JepaSharp.Runtime;

namespace JepaSharp.Configuration;

/// <summary>A configuration cannot be used. The message lists every problem, one a line.</summary>
/// <param name="problems">At least one.</param>
public sealed class ConfigurationException(IReadOnlyList<ConfigurationProblem> problems) : JepaException(Describe(problems), isUsage: true)
{
    /// <summary>Every problem, in the order of the file as far as it is known.</summary>
    public IReadOnlyList<ConfigurationProblem> Problems { get; } = problems;

    private static string Describe(IReadOnlyList<ConfigurationProblem> problems)
    {
        var lines = problems.Select(problem => $"  {problem}");
        return $"The configuration has {(problems.Count == 1 ? "a problem" : $"{problems.Count} problems")}:\n{string.Join('\n', lines)}";
    }
}
