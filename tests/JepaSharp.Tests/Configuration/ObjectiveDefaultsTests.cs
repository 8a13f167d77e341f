using JepaSharp.Configuration;
using JepaSharp.Data.Cropping;
using JepaSharp.Models;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Tests.Configuration;

public sealed class ObjectiveDefaultsTests
{
    [Fact]
    public void Mae_WhereNothingIsGiven_IsThePublishedCommand()
    {
        var options = PretrainOptions.Parse("meta: { objective: mae, model_name: vit_large }\ndata: { batch_size: 4096 }");
        var (o, plan) = (options.Optimization, new PretrainPlan(options));
        Assert.Equal((800, 40.0, 0.05, 0.05, 0.9, 0.95), (o.Epochs, o.Warmup, o.WeightDecay, o.FinalWeightDecay, o.Beta1, o.Beta2));
        Assert.Equal(2.4e-3, o.PeakRate(options.Data.BatchSize), 1e-12);
        var data = options.Data;
        Assert.Equal((new Interval(0.2, 1), ResampleFilter.Bicubic, true), (data.CropScale, data.Interpolation, data.UseHorizontalFlip));
        Assert.Equal(new PixelDecoderShape(512, 8, 16), plan.MaskedAutoencoder.Decoder);
        Assert.Equal((0.75, true), (plan.MaskedAutoencoder.MaskRatio, plan.MaskedAutoencoder.NormalizesPatches));
        Assert.True(plan.Encoder.ClassToken);
        var schedules = plan.Schedules(312);
        Assert.Equal(0, schedules.LearningRate(1));
        Assert.Equal(2.4e-3, schedules.LearningRate((40 * 312) + 1), 1e-15);
    }

    [Fact]
    public void Mae_WhereSomethingIsGiven_KeepsIt()
    {
        var options = PretrainOptions.Parse("meta: { objective: mae }\noptimization: { beta2: 0.999, lr: 0.01, lr_images: null, warmup: 3 }");
        Assert.Equal((0.999, 0.01, 3.0, 0.05), (options.Optimization.Beta2, options.Optimization.PeakRate(64), options.Optimization.Warmup,
            options.Optimization.WeightDecay));
        Assert.Equal(options, PretrainOptions.Parse(options.ToYaml()));
    }

    [Fact]
    public void ImageJepa_KeepsTheDefaultsOfTheRecords() => Assert.Equal(new PretrainOptions(), PretrainOptions.Parse("meta: { objective: ijepa }"));

    [Fact]
    public void Suggestions_ForAnotherObjective_KeepWhatSuitsTheImages()
    {
        var (ours, theirs) = (SuggestedOptions.ForScenes().Options, SuggestedOptions.ForScenes().LearnedBy("mae").Options);
        Assert.Equal(ours, SuggestedOptions.ForScenes().LearnedBy("ijepa").Options);
        Assert.Equal((ours.Data.CropScale, ours.Optimization.Epochs, ours.Optimization.Lr), (theirs.Data.CropScale, theirs.Optimization.Epochs,
            theirs.Optimization.PeakRate(ours.Data.BatchSize)));
        Assert.Equal((64, 2, 4), (theirs.Mae.DecoderWidth, theirs.Mae.DecoderDepth, theirs.Mae.DecoderHeads));
        Assert.Equal(("mae", 0.95), (theirs.Meta.Objective, theirs.Optimization.Beta2));
        Assert.Empty(theirs.FindProblems());
    }

    [Theory]
    [InlineData("mae.mask_ratio", "1.0")]
    [InlineData("mae.mask_ratio", "0.999")] // of 196 patches none is left
    [InlineData("mae.decoder_width", "6")]
    [InlineData("mae.decoder_heads", "7")]
    [InlineData("mae.decoder_depth", "0")]
    [InlineData("optimization.lr_images", "0")]
    public void Mae_WithWhatCannotBe_IsRefusedByItsKey(string key, string value)
    {
        var options = new PretrainOptions().Apply(["meta.objective=mae", "data.crop_size=224", "mask.patch_size=16", $"{key}={value}"]);
        Assert.Contains(options.FindProblems(), problem => problem.Key == key);
    }
}
