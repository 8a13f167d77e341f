namespace JepaSharp.Runtime;

/// <summary>Gives finished files and folders their names.</summary>
/// <remarks>
/// On Windows a file that anybody has open, and a folder with such a file in it, may not be renamed or replaced for as long; virus scanners and
/// indexers open what was just written, for some milliseconds. So it is tried again for about a second and a half. Elsewhere names are free of who
/// reads.
/// </remarks>
internal static class Renaming
{
    private const int Tries = 8, FirstWait = 12; // 12 + 24 + ... ms

    /// <summary>Renames a file.</summary>
    /// <exception cref="IOException">It cannot be.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be, or on Windows somebody has it open.</exception>
    public static void OfFile(string from, string to, bool overwrite = false) =>
        Patiently(() => File.Move(from, to, overwrite), OperatingSystem.IsWindows(), Thread.Sleep);

    /// <summary>Renames a folder.</summary>
    /// <exception cref="IOException">It cannot be; on Windows also where somebody has one of its files open.</exception>
    public static void OfFolder(string from, string to) =>
        Patiently(() => Directory.Move(from, to), OperatingSystem.IsWindows(), Thread.Sleep);

    /// <summary>Tries, where it fails for somebody who has it open, and only on Windows, again.</summary>
    internal static void Patiently(Action rename, bool onWindows, Action<int> waitMilliseconds)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                rename();
                return;
            }
            catch (Exception e) when (onWindows && attempt < Tries && IsOpenSomewhere(e))
            {
                waitMilliseconds(FirstWait << (attempt - 1));
            }
        }
    }

    // ERROR_ACCESS_DENIED, which a folder with open files gives; ERROR_SHARING_VIOLATION; ERROR_LOCK_VIOLATION.
    private static bool IsOpenSomewhere(Exception e) =>
        e is IOException or UnauthorizedAccessException
        && e.HResult is unchecked((int)0x80070005) or unchecked((int)0x80070020) or unchecked((int)0x80070021);
}
