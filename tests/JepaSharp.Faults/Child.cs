using System.Runtime.InteropServices;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Runtime;

namespace JepaSharp.Faults;

/// <summary>The command <c>jepa</c> in a process that keeps a journal of what a loss of power would leave, and may die in the middle of a
/// flush.</summary>
internal static partial class Child
{
    private const int Kill = 9;

    /// <param name="journal">Where the journal goes; - for none.</param>
    /// <param name="dieAtFlush">The number of the flush to disk after which the process kills itself; 0 for never.</param>
    /// <param name="command">The command's arguments.</param>
    public static int Run(string journal, int dieAtFlush, string[] command)
    {
        var image = journal == "-" ? null : new DurableImage(journal);
        var flushes = 0;
        DiskFlush.Witness = path =>
        {
            image?.Record(path);
            if (Interlocked.Increment(ref flushes) == dieAtFlush) _ = SendSignal(Environment.ProcessId, Kill);
        };
        using var stop = StopSignals.Register();
        return CommandLine.Run(command, Terminal.OfProcess(), stop);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SendSignal(int process, int signal);
}
