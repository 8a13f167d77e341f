using System.ComponentModel;
using System.Runtime.InteropServices;

namespace JepaSharp.Kernels;

/// <summary>Memory straight from the system, which gets it back whole: nothing of it is left scattered in the allocator's heap.</summary>
internal static partial class MappedMemory
{
    private const int Read = 1, Write = 2, Execute = 4;
    private const int Private = 2;

    private static int Anonymous => OperatingSystem.IsMacOS() ? 0x1000 : 0x20;

    /// <summary>So many bytes, zero; they take room only once touched.</summary>
    /// <exception cref="InsufficientMemoryException">The system gives no more.</exception>
    public static nint Take(nint bytes)
    {
        var memory = OperatingSystem.IsWindows()
            ? WindowsMemory.Allocate(0, (nuint)bytes, WindowsMemory.ReserveAndCommit, WindowsMemory.ReadWrite)
            : Map(0, (nuint)bytes, Read | Write, Private | Anonymous, -1, 0);
        return memory is not (-1 or 0)
            ? memory
            : throw new InsufficientMemoryException($"The system has no {bytes >> 20:n0} MiB more for a training step.");
    }

    /// <summary>Gives back what <see cref="Take"/> gave.</summary>
    public static void Return(nint memory, nint bytes)
    {
        if (OperatingSystem.IsWindows()) _ = WindowsMemory.Free(memory, 0, WindowsMemory.Release);
        else _ = Unmap(memory, (nuint)bytes);
    }

    /// <summary>Copies machine code into pages of its own, executable and no longer writable; they are never given back.</summary>
    /// <returns>The address of its first byte.</returns>
    /// <exception cref="Win32Exception">The system forbids to execute it.</exception>
    public static unsafe nint PlaceCode(ReadOnlySpan<byte> code)
    {
        var memory = Take(code.Length);
        code.CopyTo(new Span<byte>((void*)memory, code.Length));
        var isExecutable = OperatingSystem.IsWindows()
            ? WindowsMemory.MakeExecutable(memory, (nuint)code.Length)
            : Protect(memory, (nuint)code.Length, Read | Execute) == 0;
        return isExecutable ? memory : throw new Win32Exception();
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(nint address, nuint length, int protection);
}
