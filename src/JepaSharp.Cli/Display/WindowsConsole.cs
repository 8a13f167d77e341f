using System.Runtime.InteropServices;
using System.Text;

namespace JepaSharp.Cli.Display;

/// <summary>A Windows console, which is asked to take UTF-8 and escape sequences as terminals elsewhere do by themselves.</summary>
internal static partial class WindowsConsole
{
    /// <summary>STD_OUTPUT_HANDLE.</summary>
    public const int Output = -11;

    /// <summary>STD_ERROR_HANDLE.</summary>
    public const int Error = -12;

    private const uint ProcessesEscapes = 0x0004; // ENABLE_VIRTUAL_TERMINAL_PROCESSING

    /// <summary>
    /// From now on what is printed is UTF-8, also into files and pipes; the console's code page of before would make question marks of most names.
    /// Nothing elsewhere than on Windows.
    /// </summary>
    /// <returns>Puts the console back when disposed; null where nothing was changed.</returns>
    public static IDisposable? SpeakUtf8()
    {
        if (!OperatingSystem.IsWindows()) return null;
        try
        {
            var before = Console.OutputEncoding;
            Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
            return new Before(before);
        }
        catch (IOException)
        {
            return null; // no console: nobody reads
        }
    }

    /// <summary>Asks the console to obey escape sequences. One before Windows 10 shows them instead: then progress comes as plain lines.</summary>
    /// <param name="stream"><see cref="Output"/> or <see cref="Error"/>.</param>
    /// <returns>Whether it does; true elsewhere than on Windows.</returns>
    public static bool ObeysEscapes(int stream)
    {
        if (!OperatingSystem.IsWindows()) return true;
        var handle = Handle(stream);
        return GetMode(handle, out var mode) != 0 && ((mode & ProcessesEscapes) != 0 || SetMode(handle, mode | ProcessesEscapes) != 0);
    }

    [LibraryImport("kernel32", EntryPoint = "GetStdHandle")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint Handle(int stream);

    [LibraryImport("kernel32", EntryPoint = "GetConsoleMode")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int GetMode(nint handle, out uint mode);

    [LibraryImport("kernel32", EntryPoint = "SetConsoleMode")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SetMode(nint handle, uint mode);

    private sealed class Before(Encoding encoding) : IDisposable
    {
        public void Dispose()
        {
            try
            {
                Console.OutputEncoding = encoding;
            }
            catch (IOException)
            {
                // The console is gone.
            }
        }
    }
}
