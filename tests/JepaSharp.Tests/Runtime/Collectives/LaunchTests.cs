using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Tests.Runtime.Collectives;

public sealed class LaunchTests
{
    [Theory]
    [InlineData("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_LOCAL_RANK=1 PMIX_RANK=3", "Open MPI's mpirun", 4, 3, 1, "OpenMpi")]
    [InlineData("PMI_SIZE=2 PMI_RANK=1 MPI_LOCALRANKID=1", "MPICH's mpirun", 2, 1, 1, "Mpich")]
    [InlineData("PMI_SIZE=8 PMI_RANK=5 SLURM_LOCALID=1 SLURM_STEP_NUM_TASKS=8", "srun", 8, 5, 1, "Mpich OpenMpi")]
    [InlineData("PMIX_RANK=2 SLURM_STEP_NUM_TASKS=3 SLURM_LOCALID=0 SLURM_PROCID=2", "srun", 3, 2, 0, "OpenMpi")]
    [InlineData("SLURM_STEP_NUM_TASKS=3 SLURM_LOCALID=2 SLURM_PROCID=2", "srun", 3, 2, 2, "")]
    public void Process_ThatALauncherStarted_KnowsItsPlace(string environment, string launcher, int size, int rank, int local, string families)
    {
        var found = Launch.Detect(Variables(environment))!;
        Assert.Equal((launcher, size, rank, local), (found.Launcher, found.Size, found.Rank!.Value, found.LocalRank!.Value));
        Assert.Equal(families, string.Join(' ', found.Families));
        Assert.Equal(local == 0, found.Speaks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=0")]
    [InlineData("SLURM_NTASKS=4 SLURM_PROCID=0")] // a batch script, not a step
    [InlineData("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=3 JEPASHARP_MPI=off")]
    public void Process_OfItsOwn_WorksAlone(string environment) => Assert.Null(Launch.Detect(Variables(environment)));

    [Fact]
    public void Library_ThatIsNowhere_IsNamedWithWhatToInstall()
    {
        var launch = new Launch("Open MPI's mpirun", 4, 0, 0, [MpiFamily.OpenMpi]);
        var refusal = Assert.Throws<JepaException>(() => MpiLibrary.Load(launch, "/nowhere/libmpi.so"));
        Assert.True(refusal.IsUsage);
        Assert.Contains("does not load (/nowhere/libmpi.so). Install it (Debian: openmpi-bin)", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Library_OfSomethingElse_IsNoMpi()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("The C library has another name here.");
        var launch = new Launch("MPICH's mpirun", 2, 0, 0, [MpiFamily.Mpich]);
        var refusal = Assert.Throws<JepaException>(() => MpiLibrary.Load(launch, "libc.so.6"));
        Assert.Contains("libc.so.6 is not an MPI library", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Processes_ThatSrunStartedWithoutMpi_AreRefusedWithAWayOut()
    {
        var launch = Launch.Detect(Variables("SLURM_STEP_NUM_TASKS=3 SLURM_LOCALID=0 SLURM_PROCID=0"))!;
        var refusal = Assert.Throws<JepaException>(() => MpiLibrary.Load(launch, null));
        Assert.Contains("srun --mpi=pmix", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4", MpiFamily.OpenMpi, "Open MPI v4.1.4")]
    [InlineData("MPICH Version:\t4.0.2\nMPICH Release date: Thu Apr  7", MpiFamily.Mpich, "MPICH 4.0.2")]
    public void Version_InWhatALibrarySays_IsFound(string said, MpiFamily family, string version) =>
        Assert.Equal(version, MpiLibrary.VersionIn(said, family));

    /// <summary>Two ranks bound to a core each; four on two sockets; none bound; a container that allows fewer cores than it shows.</summary>
    [Theory]
    [InlineData("0", "0|1", 1, 1)]
    [InlineData("0-15", "0-15|0-15|16-31|16-31", 16, 8)]
    [InlineData("0-7", "0-7|0-7|0-7|0-7", 8, 2)]
    [InlineData("0-63", "0-63|0-63|0-63|0-63", 8, 2)]
    [InlineData("0-1", "0-1|0-1|0-1|0-1", 2, 1)]
    [InlineData("", "|", 8, 4)]
    public void Cores_OfAMachine_AreDividedAmongThoseThatMayUseThem(string own, string all, int usable, int share) =>
        Assert.Equal(share, RankCores.ShareOf(RankCores.CoresIn(own), [.. all.Split('|').Select(RankCores.CoresIn)], usable));

    [Theory]
    [InlineData(null, 1, "1")]
    [InlineData("2,5", 1, "5")]
    [InlineData("2,5", 2, "")]
    [InlineData("3", 1, null)]
    [InlineData("", 0, null)]
    public void Gpu_OfARank_IsOneOfThoseThatItsMachineShows(string? visible, int local, string? own) =>
        Assert.Equal(own, RankDevices.OneOf(visible, local));

    private static Func<string, string?> Variables(string environment)
    {
        var set = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);
        return name => set.GetValueOrDefault(name);
    }
}
