using JepaSharp.Masking;

namespace JepaSharp.Configuration.Rules;

/// <summary>What must hold of the section mask by itself.</summary>
internal static class MaskRules
{
    public static void Check(MaskOptions mask, RuleChecks checks)
    {
        checks.AtLeast(1, mask.PatchSize, "mask.patch_size");
        foreach (var problem in mask.On(new PatchGrid(1, 1)).BadValues()) checks.Report("mask." + problem.Option, problem.Found, problem.Expected);
    }
}
