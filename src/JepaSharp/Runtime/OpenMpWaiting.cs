using System.Runtime.InteropServices;

namespace JepaSharp.Runtime;

/// <summary>Tells libtorch's OpenMP threads to sleep when they have nothing to do.</summary>
/// <remarks>
/// By default they spin for some milliseconds after each operator, on cores that JepaSharp's own kernels, its image loader, or another program would
/// use. Has to be said before the OpenMP library is loaded; <c>OMP_WAIT_POLICY</c> and <c>GOMP_SPINCOUNT</c>, where set, win.
/// </remarks>
internal static partial class OpenMpWaiting
{
    public static void LetThreadsSleep()
    {
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null) return;
        if (Environment.GetEnvironmentVariable("GOMP_SPINCOUNT") is not null) return;
        try
        {
            _ = SetVariable("OMP_WAIT_POLICY", "passive", 0); // .NET's own setter does not reach native libraries
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Threads spin: slower, nothing worse.
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
