using JepaSharp.Configuration;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Training;

/// <summary>The files in <c>configs/</c>, built at full size on the meta device.</summary>
public sealed class PublishedConfigurationsTests
{
    [Theory]
    [InlineData("in1k_vith14_ep300", 630_762_240)]
    [InlineData("in1k_vith16-448_ep300", 631_668_480)]
    [InlineData("in22k_vith14_ep66", 630_762_240)]
    [InlineData("in22k_vitg16_ep44", 1_011_368_576)]
    [InlineData("in1k_vitb16_ep600", 85_797_120)]
    [InlineData("in1k_vitl16_ep600", 303_299_584)]
    public void Configuration_OfThePaper_BuildsAtFullSize(string name, long numbers)
    {
        var options = PretrainOptions.Load(PathOf(name));
        var plan = new PretrainPlan(options);
        Assert.Empty(plan.Masking.Problems());
        using var jepa = KnownObjectives.Create(plan, META);
        Assert.Equal(numbers, jepa.Encoder.state_dict().Values.Sum(w => w.numel()));
    }

    [Fact]
    public void Configuration_OfTheScenes_IsWhatIsChosenWithoutOne() =>
        Assert.Equal(SuggestedOptions.ForScenes().Options.ToYaml(), PretrainOptions.Load(PathOf("scenes")).ToYaml());

    private static string PathOf(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "JepaSharp.slnx"))) folder = folder.Parent;
        return Path.Combine(folder.FullName, "configs", name + ".yaml");
    }
}
