using JepaSharp.Kernels;

namespace JepaSharp.Tests.Kernels;

/// <summary>Skips, saying so, where the processor lacks what the kernels need, or nobody asks for them.</summary>
internal static class KernelFact
{
    public static void NeedsSingles() =>
        Assert.SkipUnless(KernelSupport.Singles, $"The CPU kernels do not run here: {KernelSupport.Description}.");

    public static void NeedsPairs() =>
        Assert.SkipUnless(KernelSupport.Pairs, "This machine has no AVX512_BF16: the bfloat16 kernels do not run here.");
}
