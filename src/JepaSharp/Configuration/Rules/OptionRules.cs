namespace JepaSharp.Configuration.Rules;

/// <summary>Everything that must hold of the values of a configuration, whatever file they came from.</summary>
internal static class OptionRules
{
    public static IReadOnlyList<ConfigurationProblem> Check(PretrainOptions options)
    {
        var checks = new RuleChecks();
        DataRules.Check(options.Data, checks);
        MaskRules.Check(options.Mask, checks);
        GridRules.Check(options.Data, options.Mask, options.Meta.Objective == MetaOptions.ImageJepa, checks);
        MetaRules.Check(options.Meta, checks);
        OptimizationRules.Check(options.Optimization, checks);
        LoggingRules.Check(options.Logging, checks);
        return checks.Problems;
    }
}
