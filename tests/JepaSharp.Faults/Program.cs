using System.Globalization;
using JepaSharp.Faults;
using JepaSharp.Runtime;

if (args is ["guest", .. var how]) return Guest.Run(how is ["tuned"]);
RuntimeTuning.Apply();
NativeLibtorch.TryLoad();
return args switch
{
    ["child", var journal, var flush, .. var command] => Child.Run(journal, int.Parse(flush, CultureInfo.InvariantCulture), command),
    ["kills", var count, .. var rest] when rest.Length <= 1 =>
        new KillHarness(Console.WriteLine).Run(int.Parse(count, CultureInfo.InvariantCulture),
            rest is [var seed] ? ulong.Parse(seed, CultureInfo.InvariantCulture) : 0) ? 0 : 1,
    ["rank-kills", var name, var count, .. var rest] when rest.Length <= 1 && MpiLauncher.Of(name) is { } launcher =>
        new RankKills(launcher, Console.WriteLine).Run(int.Parse(count, CultureInfo.InvariantCulture),
            rest is [var seed] ? ulong.Parse(seed, CultureInfo.InvariantCulture) : 0) ? 0 : 1,
    ["soak", var training, var embedding, var folder] =>
        Soak.Run(double.Parse(training, CultureInfo.InvariantCulture), double.Parse(embedding, CultureInfo.InvariantCulture), folder),
    ["cut-short", var pack] => CutShort.Run(pack),
    ["golden", var folder, .. var rest] when rest.Length <= 1 => Golden.Run(folder, rest is [var only] ? only : null),
    ["golden-ahead", var config, var images, var run] => Golden.RunAhead(config, images, run),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        kills N [SEED]         kills a small training run at N random moments, resumes it each time, and compares its end with the unbroken run's
        rank-kills MPI N [SEED] the same with a random one of two ranks that mpirun started; MPI is openmpi or mpich
        cut-short PACK         cuts a pack short while it is open, and says what its images then are
        golden FOLDER [NAME]   runs of every kind, a line of digests each, to hold two builds against each other on one machine
        guest [tuned]          uses the library in a process that asked for nothing, or for its tuning, and says what changed
        soak T E FOLDER        trains for T minutes, then embeds for E; memory, handles, threads and tensors as a table and a picture
        """);
    return 2;
}
