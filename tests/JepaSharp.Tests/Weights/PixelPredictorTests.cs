using JepaSharp.Configuration;
using JepaSharp.Runtime;
using JepaSharp.Tests.Monitoring;
using JepaSharp.Training;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Weights;

/// <summary>Checkpoints of runs that predict pixels.</summary>
public sealed class PixelPredictorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The second width is that of a patch's pixels: only the file's own words tell them from representations.</summary>
    [Theory]
    [InlineData(24)]
    [InlineData(192)]
    public void Checkpoint_OfPixels_IsReadAndExportedAsSuch(int width)
    {
        using var scope = NewDisposeScope();
        var options = Pixels(width);
        TinyRun.Train(_folder["run"], options, monitorEvery: null);
        using var weights = PretrainedWeights.Open(_folder["run"]);
        Assert.True(weights.Report.IsClean, weights.Report.ToString());
        Assert.Equal(192, weights.Predictor!.Outputs);
        WeightsExport.ToSafetensors(weights, null, PixelNormalization.ImageNet, _folder["all.safetensors"]);
        using var exported = PretrainedWeights.Open(_folder["all.safetensors"]);
        Assert.Equal(192, exported.Predictor!.Outputs);
        using var predictor = PretrainedNetworks.LoadPredictor(exported);
        Assert.Equal([192, 12], predictor.state_dict()["predictor_proj.weight"].shape);
        Assert.Equal(JepaTarget.Pixels, SuggestedOptions.ForScenes().Following(weights).Options.Ijepa.Target);
    }

    [Theory]
    [InlineData(24)]
    [InlineData(192)]
    public void Start_OfRepresentationsFromPixels_IsRefusedInWords(int width)
    {
        TinyRun.Train(_folder["run"], Pixels(width), monitorEvery: null);
        using var weights = PretrainedWeights.Open(_folder["run"]);
        using var source = new JepaSharp.Data.Sources.Scenes.ScenesSource(0, 64, 32);
        using var trainer = new Trainer(Pixels(width) with { Ijepa = new JepaOptions() }, source, CPU);
        var error = Assert.Throws<JepaException>(() => trainer.StartFrom(weights));
        Assert.Contains(
            "the predictor predicts the 192 pixel values of a patch, the run's representations (ijepa.target)", error.Message,
            StringComparison.Ordinal);
        using var same = new Trainer(Pixels(width), source, CPU);
        Assert.Contains("predictor: found", same.StartFrom(weights));
    }

    private static PretrainOptions Pixels(int width) => TinyRun.Options with
    {
        Meta = TinyRun.Options.Meta with { EmbedDim = width },
        Ijepa = new JepaOptions { Target = JepaTarget.Pixels },
    };
}
