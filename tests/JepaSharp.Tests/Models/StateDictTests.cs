using System.Text;
using JepaSharp.Models;
using JepaSharp.Objectives;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Models;

/// <summary>Names and shapes of every weight of every preset, built on the meta device and compared with an approved text file.</summary>
public sealed class StateDictTests
{
    [Fact]
    public void StateDict_OfEveryPreset_IsAsApproved()
    {
        var actual = new StringBuilder();
        foreach (var name in ModelPresets.Names)
        {
            var patch = name is "vit_huge" ? 14 : 16;
            var shape = ModelPresets.Encoder(name, 224, patch);
            var predictor = new PredictorShape(384, name is "vit_giant" ? 16 : shape.Depth > 12 ? 12 : 6, shape.Heads);
            using var jepa = new ImageJepa(new ImageJepaOptions { Encoder = shape, Predictor = predictor }, META);
            foreach (var (network, module) in ((string, nn.Module)[])[("encoder", jepa.ContextEncoder), ("predictor", jepa.Predictor)])
            {
                var weights = module.state_dict();
                actual.AppendLine($"# {name} {network}: {weights.Values.Sum(w => w.numel()):n0} numbers");
                foreach (var (key, tensor) in weights.OrderBy(w => w.Key, StringComparer.Ordinal))
                    actual.AppendLine($"{name} {network}.{key} [{string.Join(", ", tensor.shape)}]");
            }
        }

        var approved = Fixtures.PathOf("state-dicts.approved.txt");
        if (Environment.GetEnvironmentVariable("JEPASHARP_APPROVE") is { Length: > 0 } target) File.WriteAllText(target, actual.ToString());
        Assert.Equal(File.ReadAllText(approved), actual.ToString());
    }

    [Fact]
    public void StateDict_OfTheRecordedModel_HasThePublishedNames()
    {
        using var published = SafetensorsFile.Open(Fixtures.PathOf("nano/initial.safetensors"));
        var shape = new VisionTransformerShape { ImageHeight = 64, ImageWidth = 64, PatchSize = 8, Width = 48, Depth = 2, Heads = 3, MlpWidth = 192 };
        using var jepa = new ImageJepa(new ImageJepaOptions { Encoder = shape, Predictor = new PredictorShape(24, 2, 3) }, META);
        var ours = jepa.ContextEncoder.state_dict().Keys.Select(k => "encoder." + k)
            .Concat(jepa.Predictor.state_dict().Keys.Select(k => "predictor." + k))
            .Concat(jepa.TargetEncoder.state_dict().Keys.Select(k => "target_encoder." + k));
        Assert.Equal(published.Names.Order(StringComparer.Ordinal), ours.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Encoder_WithAnInconsistentShape_NamesEveryProblem()
    {
        var shape = new VisionTransformerShape { ImageHeight = 30, ImageWidth = 32, PatchSize = 8, Width = 50, Depth = 0, Heads = 4, MlpWidth = 8 };
        var error = Assert.Throws<ArgumentException>(shape.Validated);
        Assert.Contains("30x32", error.Message);
        Assert.Contains("width 50 is not a multiple of 4 heads", error.Message);
        Assert.Contains("depth 0", error.Message);
    }
}
