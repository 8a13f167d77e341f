using System.ComponentModel;
using System.Runtime.InteropServices;

namespace JepaSharp.Kernels.MachineCode;

/// <summary>The memory on which a thread takes the signals of its own mistakes.</summary>
/// <remarks>
/// .NET gives each of its threads 16 KiB, a guard page of 4 KiB among them, and handles there what becomes a
/// <see cref="NullReferenceException"/>. The frame of a signal grows to some 12 KiB once a thread has used AMX tiles: what would be an exception
/// would
/// then end the process.
/// </remarks>
internal static unsafe partial class SignalStack
{
    private const int Wanted = 1 << 16;
    private const int Guard = 4096;

    /// <summary>Gives the calling thread a larger one, where it has a small one. .NET returns it to the system when the thread ends.</summary>
    /// <exception cref="Win32Exception">The system refuses.</exception>
    public static void Enlarge()
    {
        Description now;
        if (Exchange(null, &now) != 0) throw new Win32Exception();
        if ((now.Flags & Description.Disabled) != 0 || now.Size >= Wanted) return;
        var memory = MappedMemory.Take(Wanted);
        var larger = new Description { Start = memory, Size = Wanted };
        if (Protect(memory, Guard, 0) != 0 || Exchange(&larger, null) != 0) throw new Win32Exception();
    }

    /// <summary>Bytes of the calling thread's, the guard among them; 0 where it has none.</summary>
    internal static nint Size()
    {
        Description now;
        return Exchange(null, &now) == 0 && (now.Flags & Description.Disabled) == 0 ? now.Size : 0;
    }

    [LibraryImport("libc", EntryPoint = "sigaltstack", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Exchange(Description* next, Description* before);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(nint address, nint length, int protection);

    /// <summary>The system's stack_t, on Linux.</summary>
    private struct Description
    {
        public const int Disabled = 2;
        public nint Start;
        public int Flags;
        public nint Size;
    }
}
