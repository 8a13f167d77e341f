namespace JepaSharp.Faults;

internal static class Soak
{
    public static int Run(double minutes, string folder) => minutes > 0 && folder.Length > 0 ? 0 : 1;
}
