using System.Globalization;

namespace JepaSharp.Runtime.Collectives;

/// <summary>Which family of MPI a launcher belongs to.</summary>
public enum MpiFamily
{
    /// <summary>Open MPI: handles are addresses.</summary>
    OpenMpi,

    /// <summary>MPICH, and what keeps its binary interface, such as Intel MPI: handles are numbers.</summary>
    Mpich,
}

/// <summary>How this process was started as one of several, as its environment says.</summary>
/// <param name="Launcher">What started it, for people.</param>
/// <param name="Size">Processes that were started.</param>
/// <param name="Rank">This one's number; null where the environment does not say.</param>
/// <param name="LocalRank">Its number on its machine; null where the environment does not say.</param>
/// <param name="Families">Whose library it takes, the likelier first; empty where the launcher passes nothing on that an MPI could use.</param>
public sealed record Launch(string Launcher, int Size, int? Rank, int? LocalRank, IReadOnlyList<MpiFamily> Families)
{
    /// <summary>Environment variable: the path of the MPI library to use, or <c>off</c> for a process that is to work alone whatever started
    /// it.</summary>
    public const string LibraryVariable = "JEPASHARP_MPI";

    /// <summary>Whether a mistake that all processes of a machine make alike is this one's to say.</summary>
    public bool Speaks => LocalRank is null or 0;

    /// <summary>How this process was started; null for one that works alone.</summary>
    public static Launch? Detect() => Detect(Environment.GetEnvironmentVariable);

    /// <param name="variable">The environment: the text of a variable, or null.</param>
    internal static Launch? Detect(Func<string, string?> variable)
    {
        int? Number(string name) => int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;
        if (variable(LibraryVariable) == "off") return null;
        var slurmLocal = Number("SLURM_LOCALID");
        var found = Number("OMPI_COMM_WORLD_SIZE") is { } open
            ? new Launch("Open MPI's mpirun", open, Number("OMPI_COMM_WORLD_RANK"), Number("OMPI_COMM_WORLD_LOCAL_RANK"), [MpiFamily.OpenMpi])
            : Number("PMI_SIZE") is { } pmi
            ? new Launch(
                slurmLocal is null ? "MPICH's mpirun" : "srun", pmi, Number("PMI_RANK"), Number("MPI_LOCALRANKID") ?? slurmLocal,
                slurmLocal is null ? [MpiFamily.Mpich] : [MpiFamily.Mpich, MpiFamily.OpenMpi])
            : Number("SLURM_STEP_NUM_TASKS") is { } tasks
            ? new Launch(
                "srun", tasks, Number("PMIX_RANK") ?? Number("SLURM_PROCID"), slurmLocal,
                variable("PMIX_RANK") is not null ? [MpiFamily.OpenMpi] : variable("PMI_RANK") is not null ? [MpiFamily.Mpich] : [])
            : null;
        return found is { Size: > 1 } ? found : null;
    }
}
