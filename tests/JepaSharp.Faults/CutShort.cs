using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Packing;

namespace JepaSharp.Faults;

/// <summary>Cuts a pack short while it is open, in a process that may well die of it.</summary>
internal static class CutShort
{
    /// <summary>Prints what opening and decoding its images then says; 0 where nothing else happens.</summary>
    public static int Run(string path)
    {
        using var pack = new PackedImages(path);
        using var opened = pack.Open(0);
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(100);
        return Says(() => opened.Decode()) && Says(() => pack.Open(0)) && Says(() => pack.Open(pack.Count - 1)) ? 0 : 1;
    }

    private static bool Says(Func<object> read)
    {
        try
        {
            _ = read();
            return false;
        }
        catch (ImageUnreadableException e)
        {
            Console.WriteLine(e.Message);
            return true;
        }
    }
}
