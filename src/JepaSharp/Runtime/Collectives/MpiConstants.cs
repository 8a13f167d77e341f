using System.Runtime.InteropServices;

namespace JepaSharp.Runtime.Collectives;

/// <summary>What a family of MPI calls what its functions take: as <c>mpi.h</c> of each has it.</summary>
/// <param name="World">MPI_COMM_WORLD.</param>
/// <param name="Byte">MPI_BYTE.</param>
/// <param name="IgnoredStatus">MPI_STATUS_IGNORE.</param>
/// <param name="ErrorsReturn">MPI_ERRORS_RETURN: a function that fails says so, instead of ending the process.</param>
internal sealed record MpiConstants(nint World, nint Byte, nint IgnoredStatus, nint ErrorsReturn)
{
    // A symbol that only Open MPI has: the address of the object is the handle.
    private const string OpenMpiWorld = "ompi_mpi_comm_world";

    /// <summary>Those of a library that is loaded, and which family it is.</summary>
    public static (MpiFamily Family, MpiConstants Constants) Of(nint library) => NativeLibrary.TryGetExport(library, OpenMpiWorld, out var world)
        ? (MpiFamily.OpenMpi, new MpiConstants(
            world, NativeLibrary.GetExport(library, "ompi_mpi_byte"), 0, NativeLibrary.GetExport(library, "ompi_mpi_errors_return")))
        : (MpiFamily.Mpich, new MpiConstants(0x44000000, 0x4c00010d, 1, 0x54000001));
}
