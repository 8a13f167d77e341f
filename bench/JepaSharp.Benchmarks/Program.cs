using System.Globalization;
using JepaSharp.Benchmarks;

return args switch
{
    ["decode", var folder] => DecodeBenchmark.Run(folder),
    ["load", var folder, var size, var threads] =>
        LoaderBenchmark.Run(folder, int.Parse(size, CultureInfo.InvariantCulture), int.Parse(threads, CultureInfo.InvariantCulture)),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        decode FOLDER                      compares the decoding libraries on the folder's JPEGs, one thread
        load   FOLDER CROP-SIZE THREADS    images a second through the training loader
        """);
    return 2;
}
