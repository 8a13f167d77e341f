using JepaSharp.Runs;

namespace JepaSharp.Tests.Runs;

/// <summary>What images of one's own are learned by where nothing is said.</summary>
public class ChosenObjectiveTests
{
    private const string Images = "scenes:40#size=32";

    [Fact]
    public void Images_WithNothingSaid_AreLearnedByMaeAndThatIsSaid()
    {
        var setup = RunSetup.Of(null, Images, ["optimization.epochs=1", "optimization.warmup=0", "meta.device=cpu"]);
        using var source = setup.Source;
        Assert.Equal("mae", setup.Options.Meta.Objective);
        var reason = Assert.Single(setup.Reasons, r => r.StartsWith("objective mae", StringComparison.Ordinal));
        Assert.Contains("--objective ijepa", reason, StringComparison.Ordinal);
        Assert.Equal((2, 64), (setup.Options.Mae.DecoderDepth, setup.Options.Mae.DecoderWidth));
    }

    [Theory]
    [InlineData("meta.objective=ijepa")]
    [InlineData("mask.num_pred_masks=2")]
    [InlineData("ijepa.target=pixels")]
    [InlineData("meta.pred_depth=1")]
    public void Images_WithSomethingSaidOfIJepa_AreLearnedByIt(string setting)
    {
        var setup = RunSetup.Of(null, Images, [setting, "optimization.epochs=1", "optimization.warmup=0", "meta.device=cpu"]);
        using var source = setup.Source;
        Assert.Equal("ijepa", setup.Options.Meta.Objective);
        Assert.DoesNotContain(setup.Reasons, r => r.StartsWith("objective", StringComparison.Ordinal));
    }

    [Fact]
    public void BuiltInScenes_AndThePublishedRecipe_StayIJepa()
    {
        using var scenes = RunSetup.Of(null, null, []).Source;
        Assert.Equal("ijepa", RunSetup.Of(null, null, []).Options.Meta.Objective);
        var published = RunSetup.Of(null, Images, ["data.batch_size=4"], asPublished: true);
        using var source = published.Source;
        Assert.Equal("ijepa", published.Options.Meta.Objective);
    }
}
