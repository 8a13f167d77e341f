using JepaSharp.Kernels;

namespace JepaSharp.Tests.Kernels;

/// <summary>Where the CPU kernels run, and what is said of it.</summary>
public sealed class KernelSupportTests
{
    [Theory]
    [InlineData("auto", false, true)]
    [InlineData("on", false, true)]
    [InlineData("off", false, false)]
    [InlineData("libtorch-fp32", false, true)]
    [InlineData("auto", true, false)]
    [InlineData("on", true, true)]
    [InlineData("fp32", true, true)]
    [InlineData("off", true, false)]
    [InlineData("libtorch-fp32", true, false)]
    public void Permits_OnWindows_OnlyWhatIsAskedFor(string asked, bool onWindows, bool permits) =>
        Assert.Equal(permits, KernelSupport.Permits(asked, onWindows));

    [Fact]
    public void Describe_WhereTheyAreOff_SaysWhyAndWhatToDo()
    {
        Assert.Contains("JEPASHARP_KERNELS=on asks for them", KernelSupport.Describe("auto", onWindows: true, singles: false, pairs: false),
            StringComparison.Ordinal);
        Assert.Contains("need x86-64 with AVX2", KernelSupport.Describe("on", onWindows: true, singles: false, pairs: false),
            StringComparison.Ordinal);
        Assert.Equal("off (JEPASHARP_KERNELS=off)", KernelSupport.Describe("off", onWindows: true, singles: false, pairs: false));
    }
}
