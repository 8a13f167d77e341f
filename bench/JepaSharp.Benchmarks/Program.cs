using System.Globalization;
using JepaSharp.Benchmarks;

return args switch
{
    ["decode", var folder] => DecodeBenchmark.Run(folder),
    ["load", var folder, var size, var threads] =>
        LoaderBenchmark.Run(folder, int.Parse(size, CultureInfo.InvariantCulture), int.Parse(threads, CultureInfo.InvariantCulture)),
    ["read", .. var paths] when paths.Length > 0 => SourceBenchmark.Run(paths),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        decode FOLDER                      compares the decoding libraries on the folder's JPEGs, one thread
        load   PATH CROP-SIZE THREADS      images a second through the training loader
        read   PATH...                     images a second that each source opens and decodes, in order and shuffled, one thread
        """);
    return 2;
}
