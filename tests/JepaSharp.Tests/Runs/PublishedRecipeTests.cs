using JepaSharp.Configuration;
using JepaSharp.Runs;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Runs;

public sealed class PublishedRecipeTests
{
    private const string Scenes = "scenes:12";

    [Fact]
    public void Of_AsPublished_ChangesNothingButWhatIsGiven()
    {
        var setup = RunSetup.Of(null, Scenes, ["data.batch_size=4"], asPublished: true);
        using var source = setup.Source;
        var expected = new PretrainOptions();
        expected = expected with { Data = expected.Data with { BatchSize = 4, Path = Scenes } };
        Assert.Equal(expected.ToYaml(), setup.Options.ToYaml());
        Assert.Contains("as published (vit_base, crops of 224 pixels in 16-pixel patches, 600 passes in batches of 4", Assert.Single(setup.Reasons));
        Assert.Contains("is 64 pixels: crops of 224 enlarge them", Assert.Single(setup.Notes));
    }

    [Fact]
    public void Of_AsPublishedForAnotherObjective_TakesItsPublishedNumbers()
    {
        var setup = RunSetup.Of(null, Scenes, ["meta.objective=mae", "data.batch_size=4"], asPublished: true);
        using var source = setup.Source;
        Assert.Equal((800, RateSchedule.Fractional), (setup.Options.Optimization.Epochs, setup.Options.Optimization.Schedule));
    }

    [Fact]
    public void Of_AsPublishedInSomeMinutes_IsRefused() =>
        Assert.Throws<JepaException>(() => RunSetup.Of(null, Scenes, [], time: TimeSpan.FromMinutes(1), asPublished: true));
}
