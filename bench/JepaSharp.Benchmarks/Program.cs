using System.Globalization;
using JepaSharp.Benchmarks;
using static TorchSharp.torch;

return args switch
{
    ["decode", var folder] => DecodeBenchmark.Run(folder),
    ["load", var folder, var size, var threads] =>
        LoaderBenchmark.Run(folder, int.Parse(size, CultureInfo.InvariantCulture), int.Parse(threads, CultureInfo.InvariantCulture)),
    ["read", .. var paths] when paths.Length > 0 => SourceBenchmark.Run(paths),
    ["weights", var path] => WeightsBenchmark.Run(path),
    ["embed", var model, var precision] => EmbedBenchmark.Run(model, precision == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        decode FOLDER                      compares the decoding libraries on the folder's JPEGs, one thread
        load   PATH CROP-SIZE THREADS      images a second through the training loader
        read   PATH...                     images a second that each source opens and decodes, in order and shuffled, one thread
        weights PATH                       how long an encoder takes to load, and the peak memory
        embed  MODEL fp32|bf16             images a second through a frozen encoder at 224 pixels
        """);
    return 2;
}
