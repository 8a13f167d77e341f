using System.Globalization;
using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.Situations;

/// <summary>What a command runs in: terminals and pipes that go, descriptors that are closed, disks that are full, limits, signals.</summary>
[Collection(Lanes.Commands)]
public sealed class SurroundingsSituations : SituationTests
{
    private const string Tiny = " --set meta.model_name=vit_tiny --set meta.embed_dim=24 --set meta.depth=1 --set meta.num_heads=2 --set "
        + "meta.pred_depth=1 --set meta.pred_emb_dim=12"
        + " --set mask.patch_size=8 --set data.crop_size=32 --set data.batch_size=4 --set data.num_workers=1 --set mask.min_keep=1 --precision fp32 "
        + "--set optimization.warmup=0"
        + " --set logging.evaluate_every=1000 --set meta.seed=1";

    private const string Train = "jepa pretrain --data imgs --out run" + Tiny + " --set optimization.epochs=1";
    private const string LongRun = "jepa pretrain --data imgs --out run" + Tiny
        + " --set optimization.epochs=20000 --set logging.checkpoint_every=10000 --set logging.monitor_every=0";

    // Until the run has made steps; then the signal, and what the run held.
    private const string UntilItRuns =
        "i=0; while [ $i -lt 300 ] && [ \"$(wc -l < run/metrics.csv 2>/dev/null || echo 0)\" -lt 5 ]; do sleep 0.2; i=$((i+1)); done; ";
    private const string Evaluate = "jepa evaluate knn --weights run --data imgs --k 3";

    private static readonly Situation[] Table =
    [
        new("a terminal that is closed under a run",
            LongRun + " 2>err >out & p=$!; " + UntilItRuns
                + "kill -HUP $p; wait $p; echo \"rc $?\"; cat err; grep -h '\"Step\"' run/checkpoints/latest/state.json", 0,
            "rc 129", "go on with: jepa pretrain --resume --out")
        {
            Build = Images, Check = (folder, said) => Assert.Equal(StepsRecorded(folder), StepOf(said)),
        },
        new("nohup: a hang-up that is ignored from the start",
            "nohup " + Train + " --set optimization.epochs=60 >out 2>err & p=$!; " + UntilItRuns + "kill -HUP $p; wait $p; echo \"rc $?\"", 0,
            "rc 0") { Build = Images },
        new("a hang-up while images are looked at", "(sleep 1.5; kill -HUP $$) & exec jepa inspect --all 'scenes:200000#size=512'", 129,
            "jepa: Stopped."),
        new("a stop while a set is packed", "(sleep 1.5; kill -TERM $$) & exec jepa pack --data 'scenes:200000#size=64' --out set.jepapack", 143,
            "jepa: Stopped.")
        {
            Check = (folder, _) => Assert.Empty(Directory.EnumerateFiles(folder)),
        },
        new("standard error closed", Train
            + " >out 2>&-; echo \"rc $?\"; jepa embed --weights run --data imgs --out e.npy >out 2>&-; echo \"rc $?\"; jepa frobnicate 2>&-; echo "
            + "\"rc $?\"", 0, "rc 0\nrc 0\nrc 2\n")
        {
            Build = Images,
            Check = (folder, _) => Assert.True(File.Exists(Path.Combine(folder, "e.npy")) && File.Exists(Path.Combine(folder, "run", "report.html"))),
        },
        new("all three descriptors closed", Train
            + " <&- >&- 2>&-; rc=$?; jepa embed --weights run --data imgs --out e.csv <&- >&- 2>&-; echo \"rc $rc $?\"; head -c 5 e.csv; grep -rlw "
            + "jepa: . || true", 0, "rc 0 0\nname,")
        {
            Build = Images, Never = ["./"],
        },
        new("what stands in the place of closed descriptors",
            LongRun + " <&- >&- 2>&- & p=$!; " + UntilItRuns + "for d in 0 1 2; do readlink /proc/$p/fd/$d; done; kill -TERM $p; wait $p", 143,
            "/dev/null\n/dev/null\n/dev/null\n")
        {
            Build = Images,
        },
        new("an argument that is no UTF-8, with standard error closed", "jepa inspect \"$(printf 'im\\377gs')\" 2>&-; echo \"rc $?\"", 0, "rc 2"),
        new("standard output full", Train
            + " >/dev/full; echo \"rc $?\"; jepa embed --weights run --data imgs --out e.npy >/dev/full; echo \"rc $?\"; ls run e.npy", 0,
            "rc 0", "Standard output could not be written (No space left on device); the run is complete.", "; the work is done.", "report.html",
            "e.npy")
        {
            Build = Images, Never = ["rc 1"],
        },
        new("standard output closed", Train + " >&-; echo \"rc $?\"; " + Evaluate + " --no-cache --out r.json >&-; echo \"rc $?\"; ls run r.json", 0,
            "rc 0", "Standard output is closed; the run is complete.", "Standard output is closed; the work is done.", "report.html", "r.json")
        {
            Build = Images, Never = ["rc 1"],
        },
        new("standard output full, and the result is what is printed",
            "jepa inspect imgs >/dev/full; echo \"rc $?\"; jepa --version >/dev/full; echo \"rc $?\"", 0, "rc 1\nrc 1\n",
            "Standard output could not be written (No space left on device)") { Build = Images },
        new("a reader of the output that has gone", Train + " 2>&1 | true; ls run", 0, "report.html") { Build = Images },
        new("a cache that cannot be written", "echo file > cache; " + Train + " >out 2>&1; JEPASHARP_CACHE=cache/features " + Evaluate
            + "; echo \"rc $?\"", 0, "rc 0", "The cache folder cache/features cannot be written (", "--no-cache", "nearest neighbours")
        {
            Build = Images,
        },
        new("a result into a pipe, which is no file to replace",
            Train + " >out 2>&1; mkfifo pipe; cat pipe > got & " + Evaluate
                + " --no-cache --out pipe >out 2>&1; echo \"rc $?\"; wait; test -p pipe && grep -c accuracy got", 0, "rc 0") { Build = Images },
        new("a full disk under the cache", "mkdir small; mount -t tmpfs -o size=8k tmpfs small; " + Train
            + " >out 2>&1; JEPASHARP_CACHE=small/cache " + Evaluate + "; echo \"rc $?\"; ls -A small/cache; umount small", 0,
            "rc 0", "cannot be written (No space left on device).", "nearest neighbours")
        {
            Build = Images, Never = [".partial"],
        },
        new("no home and no folder for what is temporary",
            "HOME=/proc TMPDIR=/nowhere XDG_CACHE_HOME= ; export HOME TMPDIR XDG_CACHE_HOME; " + Train + " >out 2>&1; echo \"rc $?\"; " + Evaluate
                + "; echo \"rc $?\"", 0, "rc 0", "The cache folder /proc/.cache/jepasharp cannot be written") { Build = Images, Never = ["rc 1"] },
        new("a home that is not there", Train + " >out 2>&1; HOME=/nowhere/at/all XDG_CACHE_HOME= " + Evaluate + "; echo \"rc $?\"; ls -A", 0, "rc 0",
            "There is no home folder to keep features in", "--no-cache")
        {
            Build = Images, Never = [".cache"],
        },
        new("a relative XDG_CACHE_HOME is passed over",
            Train + " >out 2>&1; mkdir home; HOME=\"$PWD/home\" XDG_CACHE_HOME=here " + Evaluate + " >out 2>&1; ls -A; ls home/.cache", 0,
            "jepasharp") { Build = Images, Never = ["here"] },
        new("a run that goes on while it is looked at",
            LongRun.Replace("logging.checkpoint_every=10000", "logging.checkpoint_every=1", StringComparison.Ordinal) + " >out 2>&1 & p=$!; "
                + UntilItRuns
            + "jepa report run; echo \"rc $?\"; jepa evaluate checkpoints run; echo \"rc $?\"; kill -TERM $p; wait $p", 143, "report.html\nrc 0",
            "Keep ")
        {
            Build = Images, Never = ["rc 1", "rc 2"],
        },
        new("little address space", "ulimit -v 3000000; jepa --version; jepa --help; echo \"rc $?\"; jepa inspect imgs; echo \"rc $?\"", 0, "jepa 0.",
            "Pretrains an encoder", "rc 0\nrc 1\n", "Address space is limited to 3.1 GB (ulimit -v 3000000)")
        {
            Build = Images,
        },
        new("less address space", "ulimit -v 2000000; jepa --version; jepa pretrain", 1, "jepa 0.", "Raise it with 'ulimit -v unlimited'"),
        new("few open files", "ulimit -n 64; jepa inspect imgs", 1, "Only 64 files may be open at once (ulimit -n 64)") { Build = Images },
        new("names that a terminal would obey", "jepa inspect bad", 0, "\\x1B[31m", "\\n")
        {
            Build = folder =>
            {
                foreach (var name in (string[])["a\u001b[31mred", "b\njepa: all is well"])
                    File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "bad", name)).FullName, "x\u202egnp.png"),
                        EncodedImages.Png(EncodedImages.Picture(40, 36)));
            },
            Never = ["\u001b", "\njepa:", "\u202e"],
        },
    ];

    public static TheoryData<string> Names => NamesOf(Table);

    [Theory]
    [MemberData(nameof(Names))]
    public void Surroundings_Command_SurvivesOrSaysWhy(string name)
    {
        var situation = Table.Single(s => s.Name == name);
        if (situation.Command.Contains("mount -t", StringComparison.Ordinal) && !CanMount()) Assert.Skip("No disk can be mounted here.");
        Run(situation);
    }

    [Fact]
    public void FewThreads_OfAnotherUser_AreSaidInASentence()
    {
        if (!File.Exists("/bin/su") || !File.Exists("/bin/bash") || !Environment.IsPrivilegedProcess) Assert.Skip("Needs to become another user.");
        using var folder = new TemporaryFolder();
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);
        var program = Path.Combine(AppContext.BaseDirectory, "jepa.dll");
        var (code, said) = Execute(
            $"su nobody -s /bin/bash -c \"head -c 1 '{program}' >/dev/null 2>&1 || exit 77; ulimit -u 14 || exit 77; HOME=/nonexistent dotnet "
                + $"'{program}' doctor\"", folder.Path);
        if (code == 77 || said.Contains("CoreCLR", StringComparison.Ordinal))
            Assert.Skip("Another user cannot run the program here, or is running other things.");
        Assert.Equal(1, code);
        Assert.Contains("(ulimit -u 14)", said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
    }

    private static bool CanMount()
    {
        using var folder = new TemporaryFolder();
        return Execute("mkdir m && mount -t tmpfs -o size=8k tmpfs m && umount m", folder.Path).Code == 0;
    }

    private static void Images(string folder)
    {
        foreach (var (kind, index) in (IEnumerable<(string, int)>)[.. Enumerable.Range(0, 24).Select(i => (i % 2 == 0 ? "a" : "b", i))])
        {
            var image = EncodedImages.Picture(40, 36);
            for (var p = 0; p < image.Pixels.Length; p++) image.Pixels[p] = (byte)((image.Pixels[p] * (index + 1)) + (p * index / 5));
            File.WriteAllBytes(
                Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "imgs", kind)).FullName, $"{index:D2}.png"), EncodedImages.Png(image));
        }
    }

    private static long StepsRecorded(string folder) =>
        long.Parse(File.ReadLines(Path.Combine(folder, "run", "metrics.csv")).Last().Split(',')[6], CultureInfo.InvariantCulture);

    private static long StepOf(string said) =>
        long.Parse(said[(said.LastIndexOf("\"Step\": ", StringComparison.Ordinal) + 8)..].Split(',')[0], CultureInfo.InvariantCulture);
}
