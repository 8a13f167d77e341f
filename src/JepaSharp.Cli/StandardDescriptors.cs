using System.Runtime.InteropServices;

namespace JepaSharp.Cli;

/// <summary>Standard input, output and error of a process that was started without some of them (<c>2&gt;&amp;-</c>, some service
/// managers).</summary>
/// <remarks>
/// What is closed is the next number that a file gets: the runtime's own pipes, which messages would then be written into, or a user's file. So the
/// gaps are filled with /dev/null, and where the runtime has taken one already, the process starts itself once more with all three open. A descriptor
/// that was there from the start is not marked close-on-exec, or it would not have come through exec; those that the runtime opens are.
/// </remarks>
internal static unsafe partial class StandardDescriptors
{
    private const int Output = 1, Error = 2;
    private const int GetDescriptorFlags = 1, GetStatusFlags = 3, CloseOnExec = 1; // fcntl
    private const int ReadOnly = 0, ReadWrite = 2, AccessMode = 3;                 // open
    private const string Nothing = "/dev/null", Itself = "/proc/self/exe", ItsArguments = "/proc/self/cmdline";

    /// <summary>Whether nothing can be written to standard output: it was closed at the start, or is open for reading alone.</summary>
    public static bool OutputIsClosed => !OperatingSystem.IsWindows() && (Control(Output, GetStatusFlags) & AccessMode) == ReadOnly;

    /// <summary>Fills the gaps. To be called before anything else, above all before a file is opened; may not return, but begin anew.</summary>
    public static void FillGaps()
    {
        if (OperatingSystem.IsWindows()) return;
        var isTaken = false;
        for (var descriptor = 0; descriptor <= Error; descriptor++)
        {
            var flags = Control(descriptor, GetDescriptorFlags);
            if (flags >= 0 && (flags & CloseOnExec) == 0) continue;
            if (flags >= 0 && !File.Exists(Itself)) return; // the runtime's, and there is no way to begin anew
            // Standard output for reading only: writing to it fails as it does to a closed one.
            var opened = Open(Nothing, descriptor == Error ? ReadWrite : ReadOnly);
            if (opened < 0) return;
            isTaken |= flags >= 0;
            if (opened == descriptor) continue;
            _ = Duplicate(opened, descriptor);
            _ = Close(opened);
        }

        if (isTaken) BeginAnew();
    }

    /// <summary>The same program with the same arguments, byte by byte, and surroundings.</summary>
    private static void BeginAnew()
    {
        var text = File.ReadAllBytes(ItsArguments);
        fixed (byte* first = text)
        {
            var arguments = stackalloc byte*[text.Count(b => b == 0) + 1];
            var count = 0;
            for (var at = 0; at < text.Length; at += text.AsSpan(at).IndexOf((byte)0) + 1) arguments[count++] = first + at;
            arguments[count] = null;
            _ = Execute(Itself, arguments);
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "dup2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Duplicate(int from, int to);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "execv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Execute(string path, byte** arguments);
}
