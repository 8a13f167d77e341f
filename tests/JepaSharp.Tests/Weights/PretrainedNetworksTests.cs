using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Weights;

public sealed class PretrainedNetworksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(NetworkNames.TargetEncoder)]
    [InlineData(NetworkNames.ContextEncoder)]
    public void LoadEncoder_FromACheckpoint_HasExactlyItsWeights(string which)
    {
        using var scope = NewDisposeScope();
        using var weights = PretrainedWeights.Open(Fixtures.PathOf("nano/checkpoint.pth.tar"), heads: 3);
        using var encoder = PretrainedNetworks.LoadEncoder(weights, which);
        foreach (var (name, tensor) in encoder.state_dict()) Assert.True(weights.Read($"{which}.{name}").Equals(tensor), name);
        Assert.All(encoder.parameters(), parameter => Assert.False(parameter.requires_grad));
    }

    [Fact]
    public void LoadPredictor_FromACheckpoint_HasExactlyItsWeights()
    {
        using var scope = NewDisposeScope();
        using var weights = PretrainedWeights.Open(Fixtures.PathOf("nano/checkpoint.pth.tar"), heads: 3);
        using var predictor = PretrainedNetworks.LoadPredictor(weights);
        foreach (var (name, tensor) in predictor.state_dict()) Assert.True(weights.Read("predictor." + name).Equals(tensor), name);
    }

    [Fact]
    public void LoadEncoder_OfHalfPrecisionWeights_WidensThem()
    {
        using var scope = NewDisposeScope();
        using var initial = SafetensorsFile.Open(Fixtures.PathOf("nano/initial.safetensors"));
        SafetensorsWriter.Write(
            _folder["half.safetensors"], initial.Names.Select(name => KeyValuePair.Create(name, initial.Read(name).to(ScalarType.BFloat16))));
        using var weights = PretrainedWeights.Open(_folder["half.safetensors"], heads: 3);
        using var encoder = PretrainedNetworks.LoadEncoder(weights);
        var loaded = encoder.state_dict()["blocks.1.mlp.fc1.weight"];
        Assert.Equal(ScalarType.Float32, loaded.dtype);
        Assert.True(initial.Read("target_encoder.blocks.1.mlp.fc1.weight").to(ScalarType.BFloat16).to(float32).Equals(loaded));
    }

    [Fact]
    public void LoadEncoder_WithNaN_IsRefusedByName()
    {
        using var scope = NewDisposeScope();
        using var initial = SafetensorsFile.Open(Fixtures.PathOf("nano/initial.safetensors"));
        var changed = initial.Tensors.ToDictionary();
        changed["target_encoder.norm.bias"] = LazyTensor.Of(full(48, float.NaN));
        SafetensorsWriter.Write(_folder["nan.safetensors"], [.. changed]);
        using var weights = PretrainedWeights.Open(_folder["nan.safetensors"], heads: 3);
        Assert.Contains("48 of 48 numbers in 'target_encoder.norm.bias'",
            Assert.Throws<WeightsFileException>(() => PretrainedNetworks.LoadEncoder(weights)).Message);
        Assert.Contains("48 of 48", Assert.Throws<WeightsFileException>(
            () => WeightsExport.ToSafetensors(weights, null, PixelNormalization.ImageNet, _folder["out.safetensors"])).Message);
        Assert.False(File.Exists(_folder["out.safetensors"]));
        PretrainedNetworks.LoadEncoder(weights, NetworkNames.ContextEncoder).Dispose();
        var survey = WeightsSurvey.Of(weights);
        Assert.Equal(["target_encoder.norm.bias: 48 NaN and 0 infinite of 48"], survey.NotFinite);
        Assert.Equal(90, survey.Types["float32"]);
    }

    [Fact]
    public void Export_OfOneEncoder_HasItAlone()
    {
        using var published = PretrainedWeights.Open(Fixtures.PathOf("nano/checkpoint.pth.tar"), heads: 3);
        Assert.Equal([NetworkNames.ContextEncoder], WeightsExport.ToSafetensors(
            published, NetworkNames.ContextEncoder, PixelNormalization.ImageNet, _folder["one.safetensors"]));
        using var one = PretrainedWeights.Open(_folder["one.safetensors"]);
        Assert.Equal((NetworkNames.ContextEncoder, 3, 2L), (Assert.Single(one.Present), one.Heads!.Value, one.Epoch!.Value));
        foreach (var (name, tensor) in one.Tensors) Assert.True(SafetensorsTests.SameBits(published.Tensors[name], tensor), name);
        Assert.Contains("target encoder", Assert.Throws<WeightsFileException>(
            () => WeightsExport.ToSafetensors(one, NetworkNames.TargetEncoder, PixelNormalization.ImageNet, _folder["two.safetensors"])).Message);
    }
}
