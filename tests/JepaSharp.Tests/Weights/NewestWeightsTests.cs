using JepaSharp.Weights;

namespace JepaSharp.Tests.Weights;

public sealed class NewestWeightsTests
{
    [Theory]
    [InlineData("epoch-10000", "epoch-9999", "epoch-10000", "latest.partial")]
    [InlineData("latest.previous", "epoch-0005", "latest.previous", "latest.partial")]
    [InlineData("latest", "epoch-0005", "latest", "latest.previous")]
    public void Weights_OfARunFolder_AreOfItsNewestWholeCheckpoint(string expected, params string[] names)
    {
        using var folder = new TemporaryFolder();
        foreach (var name in names)
        {
            var checkpoint = Directory.CreateDirectory(Path.Combine(folder.Path, "checkpoints", name)).FullName;
            File.Copy(Fixtures.PathOf("nano/initial.safetensors"), Path.Combine(checkpoint, "weights.safetensors"));
        }

        using var weights = PretrainedWeights.Open(folder.Path, 3);
        Assert.Equal(expected, Path.GetFileName(Path.GetDirectoryName(weights.Path)));
    }
}
