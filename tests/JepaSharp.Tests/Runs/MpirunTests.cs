using System.Globalization;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Faults;

namespace JepaSharp.Tests.Runs;

/// <summary>Ranks that an <c>mpirun</c> of this machine starts, with each MPI that is installed (<c>.ci/packages</c>); skipped where there is
/// none.</summary>
public sealed class MpirunTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Two ranks, then one process of its own that takes all micro-batches: the same losses but for rounding.</summary>
    [Theory]
    [InlineData("openmpi")]
    [InlineData("mpich")]
    public void Run_OfTwoRanks_IsThatOfOneProcess(string mpi)
    {
        var launcher = Installed(mpi);
        var config = _folder["config.yaml"];
        File.WriteAllText(config, """
            data: { crop_size: 32, batch_size: 4, num_workers: 1, scene_count: 18, scene_size: 32 }
            mask: { patch_size: 8, min_keep: 1 }
            meta: { model_name: vit_tiny, embed_dim: 32, num_heads: 2, depth: 1, pred_depth: 1, pred_emb_dim: 16, precision: fp32, device: cpu }
            optimization: { epochs: 3, warmup: 1, accumulate: 4 }
            logging: { checkpoint_every: 3, tensorboard: false }
            """);
        var said = Finished(launcher.Start(2, ["pretrain", config, "--out", _folder["two"], "-q"]));
        Assert.Contains("2 processes on 1 machine, by ", said, StringComparison.Ordinal);
        Assert.Contains("2 batches of 4 each, 16 images a step", said, StringComparison.Ordinal);
        using var stop = new JepaSharp.Cli.StopSignals(_ => { });
        var terminal = new JepaSharp.Cli.Display.Terminal(TextWriter.Null, TextWriter.Null);
        Assert.Equal(0, JepaSharp.Cli.CommandLine.Run(["pretrain", config, "--out", _folder["one"], "-q"], terminal, stop));
        var (one, two) = (Losses(_folder["one"]), Losses(_folder["two"]));
        Assert.Equal(3, one.Count);
        foreach (var (expected, found) in one.Zip(two)) Assert.Equal(expected, found, 1e-4);
    }

    [Fact]
    public void Embedding_OfThreeRanks_IsThatOfOneProcess_ToTheByte()
    {
        var launcher = Installed("mpich");
        SceneFolder.Write(_folder["images"], 20, 32, 32, seed: 5, cancellation: TestContext.Current.CancellationToken);
        string[] Words(string file) =>
            ["embed", "--weights", Fixtures.PathOf("nano/hf"), "--data", _folder["images"], "--out", file, "--batch", "3", "--device", "cpu",
                "--size", "16"];
        // libtorch's products depend on the number of threads.
        _ = Finished(launcher.Start(3, Words(_folder["three.npy"]), ("OMP_NUM_THREADS", "1")));
        _ = Finished(launcher.Start(1, Words(_folder["one.npy"]), ("OMP_NUM_THREADS", "1")));
        Assert.Equal(File.ReadAllBytes(_folder["one.npy"]), File.ReadAllBytes(_folder["three.npy"]));
        Assert.Equal(File.ReadAllBytes(_folder["one.index.csv"]), File.ReadAllBytes(_folder["three.index.csv"]));
    }

    /// <summary>As it comes to be where the library found is not the launcher's: each process would work alone on the same folder.</summary>
    [Fact]
    public void Library_OfAnotherMpiThanTheLauncher_IsRefused()
    {
        _ = Installed("mpich");
        using var process = Installed("openmpi").Start(
            2, ["pretrain", "--out", _folder["run"]], ("JEPASHARP_MPI", "libmpich.so.12"));
        var code = process.WaitForExit(Patience);
        Assert.Equal(2, code);
        Assert.Contains("started 2 processes, and MPICH", process.Said, StringComparison.Ordinal);
        Assert.Contains("belongs to another MPI than the launcher", process.Said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["run"]));
    }

    /// <summary>The short version of <c>JepaSharp.Faults rank-kills</c> (docs/reliability.md).</summary>
    [Theory]
    [InlineData("mpich", "Kill")]
    [InlineData("openmpi", "Warn")]
    public void Rank_ThatIsStruck_EndsTheRunForAll_AndItGoesOnToTheSameBits(string mpi, string fault)
    {
        var said = new List<string>();
        var isSame = new RankKills(Installed(mpi), said.Add).Run(strikes: 1, seed: 3, [Enum.Parse<Fault>(fault)]);
        Assert.True(isSame, string.Join('\n', said));
    }

    private static MpiLauncher Installed(string name)
    {
        if (MpiLauncher.Of(name) is { } launcher) return launcher;
        Assert.Skip($"There is no mpirun.{name} here; .ci/packages installs it.");
        return null!;
    }

    private static string Finished(RankedProcess process)
    {
        using (process)
        {
            Assert.True(process.WaitForExit(Patience) == 0, process.Said);
            return process.Said;
        }
    }

    private static List<double> Losses(string run) =>
        [.. File.ReadLines(Path.Combine(run, "metrics.csv")).Skip(1).Select(l => double.Parse(l.Split(',')[2], CultureInfo.InvariantCulture))];
}
