namespace JepaSharp.Runtime;

/// <summary>Why a library does not load on Windows, which says no more than a number, and what to do.</summary>
/// <remarks>What libtorch's libraries need beside each other was read from their import tables: docs/windows.md.</remarks>
internal static class WindowsLoading
{
    private const string Redistributable = "Microsoft's Visual C++ Redistributable for x64 (https://aka.ms/vs/17/release/vc_redist.x64.exe)";

    // Of Visual C++ 2015 to 2022; what else the libraries import, every Windows has.
    private static readonly string[] Runtime = ["MSVCP140.dll", "VCRUNTIME140.dll", "VCRUNTIME140_1.dll"];

    /// <summary>Sentences on a failure.</summary>
    /// <param name="failure">What the runtime threw; its message ends in Windows's number.</param>
    /// <param name="folders">Where the system looks for the C++ runtime: its own folder, and that of the libraries.</param>
    public static string About(Exception failure, params ReadOnlySpan<string> folders)
    {
        if (failure is BadImageFormatException || Is(failure, 193))
            return "It is for another kind of processor than this process: use .NET for x64 (dotnet --info says which is used).";
        if (Is(failure, 127))
            return "A library that it needs lacks a function: a torch_cpu.dll or c10.dll of another version lies beside it or is loaded already, "
                + $"or MSVCP140.dll is older than libtorch wants. Restore the packages anew, and install the newest of {Redistributable}.";
        if (!Is(failure, 126)) return "";
        var missing = Missing(folders);
        return missing.Count > 0
            ? $"It needs {string.Join(", ", missing)}, which this machine lacks: install {Redistributable}."
            : "A library that it needs is not found, and it is none of Visual C++'s: all of libtorch's files have to lie in one folder.";
    }

    private static List<string> Missing(ReadOnlySpan<string> folders)
    {
        var missing = new List<string>();
        foreach (var library in Runtime)
        {
            var isThere = false;
            foreach (var folder in folders) isThere |= File.Exists(Path.Combine(folder, library));
            if (!isThere) missing.Add(library);
        }

        return missing;
    }

    /// <summary>Whether it is a system error of that number: ERROR_MOD_NOT_FOUND (126), ERROR_PROC_NOT_FOUND (127), ERROR_BAD_EXE_FORMAT
    /// (193).</summary>
    private static bool Is(Exception failure, int error) =>
        failure.HResult == unchecked((int)0x80070000 | error)
        || failure.Message.Contains($"0x8007{error:X4}", StringComparison.OrdinalIgnoreCase);
}
