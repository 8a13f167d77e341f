namespace JepaSharp.Benchmarks;

/// <summary>Speed measurements: <c>decode FOLDER</c> compares the decoding libraries.</summary>
internal static class Program
{
    public static int Main(string[] arguments) => arguments switch
    {
        ["decode", var folder] => DecodeBenchmark.Run(folder),
        _ => Fail("Usage: decode FOLDER"),
    };

    public static int Fail(string message)
    {
        Console.Error.WriteLine(message);
        return 2;
    }
}
