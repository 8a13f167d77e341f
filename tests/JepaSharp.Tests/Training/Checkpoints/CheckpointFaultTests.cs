using System.Diagnostics;
using System.Text.Json;
using JepaSharp.Configuration;
using JepaSharp.Runtime;
using JepaSharp.Training;

namespace JepaSharp.Tests.Training.Checkpoints;

/// <summary>What a run does when its disk fails under it.</summary>
public sealed class CheckpointFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Run => _folder["run"];

    private string Checkpoints => Path.Combine(Run, "checkpoints");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Folder_DeletedUnderTheRun_IsSaidAndMadeAgain()
    {
        using var whole = new TinyRun(_folder["whole"]).Go();
        using (var run = new TinyRun(Run))
        {
            run.Go((step, _) => { if (step == 5) Directory.Move(Run, Run + ".gone"); });
            Assert.Contains(run.Messages, m => m.Contains("was gone and was made again", StringComparison.Ordinal));
            Assert.Equal(whole.Weights, run.Weights);
        }

        using var resumed = new TinyRun(Run);
        Assert.Equal(12, resumed.Trainer.Step.StepCount);
        Assert.Equal(whole.Weights, resumed.Weights);
    }

    [Fact]
    public void Disk_ThatCannotBeWrittenForAWhile_IsSaidOnceAndTrainingGoesOn()
    {
        using var run = new TinyRun(Run);
        run.Go((step, _) =>
        {
            if (step == 3) Obstruct();
            if (step == 9) Directory.Delete(Checkpoints + ".aside", recursive: true);
            if (step == 9) File.Delete(Checkpoints);
        });
        Assert.Single(
            run.Messages, m => m.Contains("cannot be written", StringComparison.Ordinal) && m.Contains("Training goes on", StringComparison.Ordinal));
        Assert.Single(run.Messages, m => m.StartsWith("Checkpoints are written again", StringComparison.Ordinal));
        using var state = JsonDocument.Parse(File.ReadAllText(Path.Combine(Checkpoints, "latest", "state.json")));
        Assert.Equal(12, state.RootElement.GetProperty("Step").GetInt64());
    }

    [Fact]
    public void Disk_ThatCannotBeWrittenAtTheEnd_EndsInOneMessageThatSaysHowToGoOn()
    {
        using var run = new TinyRun(Run);
        var error = Assert.Throws<JepaException>(() => run.Go((step, _) => { if (step == 3) Obstruct(); }));
        Assert.Contains("The last checkpoint, of step 12, could not be written", error.Message, StringComparison.Ordinal);
        Assert.Contains("--resume", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Disk_ThatIsFull_KeepsTheCheckpointBeforeAndNothingHalfWritten()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("A small disk is mounted as Linux does it.");
        Directory.CreateDirectory(Run);
        if (Shell($"mount -t tmpfs -o size=700k none '{Run}'") != 0) Assert.Skip("A small disk cannot be mounted here.");
        try
        {
            var options = TinyRun.Options with { Logging = new LoggingOptions { CheckpointSteps = 1, CheckpointEvery = 100 } };
            using (var run = new TinyRun(Run, options))
            {
                Assert.Throws<JepaException>(() => run.Go((step, _) => { if (step == 3) Fill(); }));
                Assert.Contains(run.Messages, m => m.Contains("No space left", StringComparison.Ordinal));
            }

            var left = Directory.GetDirectories(Checkpoints).Select(Path.GetFileName);
            Assert.Equal(["latest"], left);
            File.Delete(Path.Combine(Run, "ballast"));
            using var whole = new TinyRun(_folder["whole"]).Go();
            using var resumed = new TinyRun(Run, options);
            Assert.Empty(resumed.Said);
            Assert.InRange(resumed.Trainer.Step.StepCount, 1, 4);
            Assert.Equal(whole.Weights, resumed.Go().Weights);
        }
        finally
        {
            Shell($"umount -l '{Run}'");
        }
    }

    [Fact]
    public void Run_ThatDiedBetweenItsFirstCheckpointAndItsConfiguration_IsBegunAgain()
    {
        using (new TinyRun(Run))
        {
        }

        File.Move(Path.Combine(Run, "config.yaml"), Path.Combine(Run, "config.yaml.17.partial"));
        using (var again = new TinyRun(Run)) again.Go((step, stop) => stop.Cancel());
        File.Delete(Path.Combine(Run, "config.yaml"));
        // a step is worth keeping
        Assert.Contains("not empty", Assert.Throws<JepaException>(() => RunFolder.Create(Run)).Message, StringComparison.Ordinal);
    }

    /// <summary>A file where the checkpoints' folder was: nothing can be written, for root neither.</summary>
    private void Obstruct()
    {
        Directory.Move(Checkpoints, Checkpoints + ".aside");
        File.WriteAllText(Checkpoints, "");
    }

    private void Fill()
    {
        try
        {
            using var ballast = File.Create(Path.Combine(Run, "ballast"));
            for (var i = 0; i < 1000; i++) ballast.Write(new byte[4096]);
            ballast.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            // Full, as it should be.
        }
    }

    private static int Shell(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
