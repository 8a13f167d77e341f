using System.Diagnostics;
using System.Text.Json;

namespace JepaSharp.Tests.BadInput;

/// <summary>The command as a process of its own, in surroundings that are not what it would like.</summary>
[Collection(Lanes.Commands)]
public sealed class EnvironmentTests : IDisposable
{
    private const string Name = "my фото ünd 🙂";

    // A processor of before AVX-512, as far as the runtime, libtorch and oneDNN can be told so.
    private const string NoBf16 = "DOTNET_EnableAVX512=0 DOTNET_EnableAVX2=0 ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 ";
    private readonly TemporaryFolder _folder = new();

    public EnvironmentTests()
    {
        if (!File.Exists("/bin/sh")) Assert.Skip("There is no shell here.");
        Photos.Make(Directory.CreateDirectory(_folder[Name]).FullName);
    }

    public void Dispose() => _folder.Dispose();

    // The command line; the exit code; what is said, where anything is.
    [Theory]
    [InlineData("jepa inspect \"$PHOTOS\"", 0, "4")]
    [InlineData(
        "LC_ALL=de_DE.UTF-8 LANG=tr_TR.UTF-8 jepa masks --data \"$PHOTOS\" --count 1 --out \"$PHOTOS/ä b.png\" --set data.crop_size=32 --set "
            + "mask.patch_size=8 --set mask.min_keep=1", 0, "")]
    [InlineData("HOME=/proc TMPDIR=/proc XDG_CONFIG_HOME=/proc jepa inspect \"$PHOTOS\"", 0, "4")]
    [InlineData("env -i PATH=\"$PATH\" jepa inspect \"$PHOTOS\"", 0, "4")]
    [InlineData("jepa inspect \"$PHOTOS\" > /dev/full", 1, "No space left")]
    [InlineData("jepa inspect \"$PHOTOS\" >&-", 1, "Standard output is closed")]
    [InlineData("jepa frobnicate 2> /dev/full", 2, "")]
    [InlineData("jepa scenes --out /proc/scenes --count 1", 1, "/proc/scenes")]
    [InlineData("jepa pretrain --data \"$PHOTOS\" --out /proc/run", 1, "/proc/run cannot be written")]
    [InlineData(
        "ulimit -d 700000; jepa pretrain --data 'scenes:2048#size=32' --out \"$PHOTOS/run\" --precision fp32 --max-steps 2 --set "
            + "data.batch_size=2048 --set data.num_workers=1 --set data.crop_size=96 --set mask.patch_size=8", 1,
            "Out of memory. Use a smaller batch")]
    [InlineData(
        NoBf16 + "jepa pretrain --data \"$PHOTOS\" --out \"$PHOTOS/run\" --precision bf16 --max-steps 1 --set data.batch_size=2 --set "
            + "data.crop_size=32 --set mask.patch_size=8 --set mask.min_keep=1", 0, "Done after 1 step,")]
    public void Command_InOddSurroundings_DoesItsWorkOrSaysWhyNot(string command, int code, string said) => Check(command, code, said);

    [Fact]
    public void Output_IntoAPipeThatCloses_IsNoFailure() => Check("(jepa --help; echo $? >&2) | true", 0, "0");

    [Fact]
    public void Machine_OfOneCore_IsSeenAsOne()
    {
        if (!File.Exists("/usr/bin/taskset")) Assert.Skip("There is no taskset here.");
        var output = Check("taskset -c 0 jepa doctor --json", 0, "");
        using var json = JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..(output.LastIndexOf('}') + 1)]);
        Assert.Equal(1, json.RootElement.GetProperty("cores").GetInt32());
    }

    private string Check(string command, int code, string said)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "jepa.dll");
        var start = new ProcessStartInfo("/bin/sh", ["-c", command.Replace("jepa ", $"dotnet '{program}' ", StringComparison.Ordinal)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PHOTOS"] = _folder[Name];
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd() + error.GetAwaiter().GetResult();
        process.WaitForExit();
        Assert.True(process.ExitCode == code, $"exit code {process.ExitCode}: {output}");
        Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("internal error", output, StringComparison.Ordinal);
        return output;
    }
}
