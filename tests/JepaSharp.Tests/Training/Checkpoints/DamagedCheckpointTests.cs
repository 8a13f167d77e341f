using JepaSharp.Runtime;

namespace JepaSharp.Tests.Training.Checkpoints;

/// <summary>What a resume does when files are not what they were.</summary>
public sealed class DamagedCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Latest => Path.Combine(_folder["run"], "checkpoints", "latest");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("weights.safetensors", "flip")]
    [InlineData("weights.safetensors", "cut")]
    [InlineData("optimizer.safetensors", "flip")]
    [InlineData("optimizer.safetensors", "gone")]
    [InlineData("state.json", "flip")]
    [InlineData("state.json", "empty")]
    [InlineData("state.json", "gone")]
    [InlineData("state.json", "step")]
    public void Latest_Damaged_IsNamedAndTheOneBeforeGoesOnToTheSameBits(string file, string how)
    {
        using var whole = new TinyRun(_folder["whole"]).Go();
        using (new TinyRun(_folder["run"]).Go((step, stop) => { if (step == 6) stop.Cancel(); }))
        {
        }

        Damage(Path.Combine(Latest, file), how);
        using var resumed = new TinyRun(_folder["run"]);
        Assert.Equal(4, resumed.Trainer.Step.StepCount); // epoch-0001
        Assert.Contains(Path.Combine(Latest, file), resumed.Said[0], StringComparison.Ordinal);
        Assert.Contains("going on from the checkpoint before, of step 4", resumed.Said[1], StringComparison.Ordinal);
        Assert.Equal(whole.Weights, resumed.Go().Weights);
    }

    [Fact]
    public void EveryCheckpoint_Damaged_IsRefusedWithAllTheirNames()
    {
        using (new TinyRun(_folder["run"]).Go())
        {
        }

        var weights = Directory.GetFiles(_folder["run"], "weights.safetensors", SearchOption.AllDirectories);
        foreach (var path in weights) Damage(path, "flip");
        var error = Assert.Throws<JepaException>(() => new TinyRun(_folder["run"]));
        Assert.Equal(4, weights.Length);
        Assert.All(weights, path => Assert.Contains(path, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Latest_MovedAsideWhenTheProcessDied_IsFound()
    {
        using (new TinyRun(_folder["run"]).Go((step, stop) => { if (step == 6) stop.Cancel(); }))
        {
        }

        Directory.Move(Latest, Latest + ".previous");
        Directory.CreateDirectory(Latest + ".partial");
        File.WriteAllText(Path.Combine(Latest + ".partial", "weights.safetensors"), "half");
        using var resumed = new TinyRun(_folder["run"]);
        Assert.Equal(6, resumed.Trainer.Step.StepCount);
        Assert.Empty(resumed.Said);
        resumed.Go();
        Assert.Equal(["epoch-0001", "epoch-0002", "epoch-0003", "latest"],
            Directory.GetDirectories(Path.GetDirectoryName(Latest)!).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Checkpoint_WrittenBeforeThereWereChecksums_IsRead()
    {
        using (new TinyRun(_folder["run"]).Go((step, stop) => { if (step == 6) stop.Cancel(); }))
        {
        }

        File.WriteAllText(Path.Combine(Latest, "state.json"), """{"Step":6,"Epoch":1,"Images":18,"OptimizerStart":0}""");
        using var resumed = new TinyRun(_folder["run"]);
        Assert.Equal((6, 0), (resumed.Trainer.Step.StepCount, resumed.Said.Count));
    }

    private static void Damage(string path, string how)
    {
        var bytes = File.ReadAllBytes(path);
        if (how == "flip") bytes[bytes.Length / 2] ^= 1;
        if (how == "step")
            bytes = System.Text.Encoding.UTF8.GetBytes(File.ReadAllText(path).Replace("\"Step\": 6", "\"Step\": 7", StringComparison.Ordinal));
        if (how is "gone") File.Delete(path);
        else File.WriteAllBytes(path, how switch { "cut" => bytes[..^5], "empty" => [], _ => bytes });
    }
}
