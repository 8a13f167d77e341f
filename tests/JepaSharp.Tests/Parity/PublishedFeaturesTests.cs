using JepaSharp.Models;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Parity;

/// <summary>Encoders loaded from published files against what transformers made of the same weights (float32, CPU).</summary>
public sealed class PublishedFeaturesTests(ITestOutputHelper output)
{
    private static readonly string[] Names = ["nano", "micro", "two-context-blocks"];

    public static IEnumerable<TheoryDataRow<string>> Runs => RecordedFolders.Of(Names, holding: "hf");

    public static IEnumerable<TheoryDataRow<string, string>> Sources =>
        RecordedFolders.Of(Names, holding: "hf", _ => (string[])["hf", "checkpoint.pth.tar", "exported.safetensors", "exported folder"]);

    [Theory]
    [MemberData(nameof(Sources))]
    public void Encoder_FromPublishedWeights_GivesTheRecordedFeaturesAtBothResolutions(string run, string from)
    {
        using var scope = NewDisposeScope();
        using var temporary = new TemporaryFolder();
        using var encoder = Load(run, from, temporary);
        using var expected = SafetensorsFile.Open(RecordedFolders.PathOf(run, "hf/expected.safetensors"));
        using var untracked = no_grad();
        foreach (
            var (pixels, state) in ((string, string)[])[("pixel_values", "last_hidden_state"), ("pixel_values_larger", "last_hidden_state_larger")])
        {
            var (absolute, relative) = RecordedRun.Difference(encoder.forward(expected.Read(pixels)), expected.Read(state));
            output.WriteLine($"{state}: largest difference {absolute:g3}, {relative:g3} of the largest number");
            Assert.True(absolute < 1e-5, $"{state} differs by {absolute}");
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Encoder_InBfloat16_StaysCloseToTheRecordedFeatures(string run)
    {
        using var scope = NewDisposeScope();
        using var encoder = Load(run, "hf", null);
        using var expected = SafetensorsFile.Open(RecordedFolders.PathOf(run, "hf/expected.safetensors"));
        using var untracked = no_grad();
        encoder.ComputeIn(ScalarType.BFloat16);
        var features = encoder.forward(expected.Read("pixel_values"));
        Assert.Equal(ScalarType.Float32, features.dtype);
        var (_, relative) = RecordedRun.Difference(features, expected.Read("last_hidden_state"));
        Assert.InRange(relative, 1e-5, 0.02); // below it, nothing was computed in bfloat16
        encoder.ComputeIn(ScalarType.Float32);
        Assert.True(RecordedRun.Difference(encoder.forward(expected.Read("pixel_values")), expected.Read("last_hidden_state")).Absolute < 1e-5);
    }

    private static VisionTransformer Load(string run, string from, TemporaryFolder? temporary)
    {
        if (!from.StartsWith("exported", StringComparison.Ordinal)) return Load(RecordedFolders.PathOf(run, from), HeadsOf(run));
        using (var published = PretrainedWeights.Open(RecordedFolders.PathOf(run, "checkpoint.pth.tar"), HeadsOf(run)))
        {
            if (from == "exported folder") WeightsExport.ToHuggingFace(published, null, PixelNormalization.ImageNet, temporary![from]);
            else WeightsExport.ToSafetensors(published, null, PixelNormalization.ImageNet, temporary![from]);
        }

        return Load(temporary[from], heads: null);
    }

    private static VisionTransformer Load(string path, int? heads)
    {
        using var weights = PretrainedWeights.Open(path, heads);
        return PretrainedNetworks.LoadEncoder(weights);
    }

    private static int HeadsOf(string run) => RecordedFolders.FactsOf(run).GetProperty("num_heads").GetInt32();
}
