using JepaSharp.Fuzzing;
using SharpFuzz;

return args switch
{
    ["list"] => Listed(),
    ["seeds", var folder] => Seeds.Write(folder),
    ["fuzz", var name] => Fuzzed(ReaderTarget.Named(name)),
    ["mutate", var name, var seconds] =>
        Mutations.Run(ReaderTarget.Named(name), TimeSpan.FromSeconds(double.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture))),
    ["replay", var name, .. var paths] when paths.Length > 0 => Replayed(ReaderTarget.Named(name), paths),
    _ => Usage(),
};

static int Listed()
{
    foreach (var target in ReaderTarget.All) Console.WriteLine(target.Name);
    return 0;
}

static int Fuzzed(ReaderTarget target)
{
    using var place = new ScratchFile(target.FileName);
    Fuzzer.Run(stream =>
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        target.ExecuteInTime(place, bytes.ToArray());
    });
    return 0;
}

static int Replayed(ReaderTarget target, string[] paths)
{
    using var place = new ScratchFile(target.FileName);
    foreach (var path in paths)
    {
        Console.WriteLine($"{path}: {target.Execute(place, File.ReadAllBytes(path)) ?? "read"}");
    }

    return 0;
}

static int Usage()
{
    Console.Error.WriteLine(
        """
        list                   the readers that can be fuzzed
        seeds FOLDER           writes sound inputs to start from, a folder for each reader
        fuzz NAME              runs a reader under AFL++; see run.sh
        mutate NAME SECONDS    runs a reader on its seeds changed at random, in this process and without AFL++
        replay NAME PATH...    what a reader makes of files: "read", or why it refused them; an exception is a finding
        """);
    return 2;
}
