using JepaSharp.Configuration;
using JepaSharp.Data.Loading;
using JepaSharp.Data.Sources;
using JepaSharp.Training;

namespace JepaSharp.Tests.Training;

public sealed class FolderRecipeTests
{
    [Theory]
    [InlineData(28, 32, 4)]
    [InlineData(32, 32, 4)]
    [InlineData(64, 64, 8)]
    [InlineData(4000, 64, 8)]
    public void For_ImagesOfASize_TakesAGridOfEightByEight(int side, int crop, int patch)
    {
        var options = For(3000, side).Options;
        Assert.Equal((crop, patch), (options.Data.CropSize, options.Mask.PatchSize));
        Assert.Empty(new PretrainPlan(options).Masking.Problems());
    }

    [Theory]
    [InlineData(7, 7)]
    [InlineData(1000, 64)]
    [InlineData(50_000, 128)]
    public void For_SoManyImages_NeverTakesALargerBatchThanThereAre(int images, int batch) =>
        Assert.Equal(batch, For(images, 64).Options.Data.BatchSize);

    [Fact]
    public void For_Colours_AreTheImagesOwnAndSaid()
    {
        var suggested = FolderRecipe.For(Summary(500, 64), _ => new PixelStatistics([0.25, 0.5, 0.12345], [0.1, 0.2, 0.001], 77), onGpu: false);
        Assert.Equal(new ChannelTriple(0.25, 0.5, 0.123), suggested.Options.Data.Mean);
        // A channel that never changes is not divided by nothing.
        Assert.Equal(new ChannelTriple(0.1, 0.2, 0.02), suggested.Options.Data.Std);
        Assert.Contains(suggested.Reasons, r => r.Text.Contains("of 77 images", StringComparison.Ordinal) && r.Keys.Contains("data.mean"));
    }

    [Fact]
    public void For_ColoursThatCannotBeRead_AreImageNets() => Assert.Equal(new DataOptions().Mean, For(500, 64).Options.Data.Mean);

    [Fact]
    public void Lasting_ATime_MakesThePassesThatItPaysFor()
    {
        // 50 steps of 0.2 seconds a pass: 10 seconds; 94 % of 30 minutes pay for 169.
        var lasting = FolderRecipe.Lasting(For(3232, 64).Options, 3232, TimeSpan.FromSeconds(0.2), TimeSpan.FromMinutes(30));
        Assert.Equal(169, lasting.Options.Optimization.Epochs);
        Assert.InRange(lasting.Options.Optimization.Warmup, 1, 169 / 5.0);
        Assert.Equal("169 passes over the images, about 30 minutes: 320 images/s were measured", Assert.Single(lasting.Reasons).Text);
        Assert.InRange(169 / lasting.Options.Logging.CheckpointEvery, 20, 60);
    }

    [Fact]
    public void LearnedBy_AnObjectiveOfAnotherRate_SaysTheRateThatItTakes()
    {
        var suggested = For(50_000, 32).LearnedBy("lejepa");
        Assert.Equal(1e-3, suggested.Options.Optimization.Lr);
        Assert.StartsWith("learning rate 0.001: that of lejepa", Assert.Single(suggested.Reasons, r => r.Keys.Contains("optimization.lr")).Text,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(600)]
    public void Making_AnyPasses_IsValidAndWarmsUpForAShareOfThem(int epochs)
    {
        var options = FolderRecipe.Making(For(3000, 64).Options, epochs);
        Assert.Empty(options.FindProblems());
        Assert.InRange(options.Optimization.Warmup, 0.01 * epochs, 0.2 * epochs);
    }

    [Fact]
    public void Lasting_LessThanAPass_SaysSo()
    {
        var lasting = FolderRecipe.Lasting(For(640_000, 64).Options, 640_000, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Assert.Equal(1, lasting.Options.Optimization.Epochs);
        Assert.Contains("one pass takes longer than the 10 minutes aimed at", Assert.Single(lasting.Reasons).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Lasting_TimeForMorePassesThanWereEverTried_StopsThereAndSaysSo()
    {
        var lasting = FolderRecipe.Lasting(For(64, 64).Options, 64, TimeSpan.FromSeconds(0.05), TimeSpan.FromMinutes(60));
        Assert.Equal(FolderRecipe.MostPasses, lasting.Options.Optimization.Epochs);
        Assert.Contains("were never tried", Assert.Single(lasting.Reasons).Text, StringComparison.Ordinal);
    }

    private static SuggestedOptions For(int images, int side) => FolderRecipe.For(Summary(images, side), _ => null, onGpu: false);

    private static ImageSourceSummary Summary(int images, int side) => new()
    {
        Count = images,
        Classes = [],
        Sampled = images,
        MedianShorterSide = side,
        Smallest = (side, side),
        Largest = (side, side),
        Formats = new Dictionary<string, int> { ["JPEG"] = images },
        Unreadable = [],
    };
}
