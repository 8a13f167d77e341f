using System.Diagnostics;
using System.Runtime.InteropServices;

namespace JepaSharp.Runtime;

/// <summary>Processor time of the calling thread: what other programs take of the core does not count.</summary>
internal static partial class ThreadTime
{
    private const int Linux = 3, Mac = 16; // CLOCK_THREAD_CPUTIME_ID

    /// <summary>Since some point in the past. Elapsed time where the system does not tell.</summary>
    public static TimeSpan Now
    {
        get
        {
            try
            {
                if (!OperatingSystem.IsWindows() && Environment.Is64BitProcess
                    && Clock(OperatingSystem.IsMacOS() ? Mac : Linux, out var time) == 0)
                    return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / TimeSpan.NanosecondsPerTick);
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
            {
                // Elapsed time, then.
            }

            return Stopwatch.GetElapsedTime(0);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Clock(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
