using System.Diagnostics;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Runtime;

/// <summary>What loading and using the library does to a process that it is a guest in. The process is one of its own: this one is tuned.</summary>
public sealed class GuestTests
{
    [Fact]
    public void Library_InAProcessThatAskedForNothing_ChangesNothing()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Only on Linux is anything tuned.");
        var lines = Lines("guest");
        Assert.Contains("OMP_WAIT_POLICY: unset -> unset", lines);
        Assert.Contains("a block of 64 MB: from the kernel -> from the kernel", lines);
        const string Environment = "environment: ";
        var digests = Assert.Single(lines, line => line.StartsWith(Environment, StringComparison.Ordinal))[Environment.Length..].Split(" -> ");
        Assert.Equal(digests[0], digests[1]);
        Assert.Contains("a block of 64 MB, before the library is used: from the kernel", lines);
        Assert.Contains("TorchSharp's nativeBackendLoaded, before the library is used: False", lines);
    }

    /// <summary>The same observations, where tuning was asked for: they can see it.</summary>
    [Fact]
    public void Tuning_WhereAskedFor_Shows()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Only on Linux is anything tuned.");
        var lines = Lines("guest", "tuned");
        Assert.Contains("OMP_WAIT_POLICY: unset -> passive", lines);
        Assert.Contains("a block of 64 MB, before the library is used: on the heap", lines);
    }

    /// <summary>TorchSharp would load the packaged libtorch beside another one, which ends the process.</summary>
    [Fact]
    public void Library_ToldOfAnotherLibtorchThanThePackagedOne_RefusesInWords()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("The variable is read on Linux.");
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["libtorch_cpu.so"], [1]);
        using var process = Process.Start(Starting([new(NativeLibtorch.FolderVariable, folder.Path)], "guest"))!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Contains("Remove that file, or unset JEPASHARP_LIBTORCH", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Library_ToldOfThePackagedLibtorchByAnotherName_UsesIt()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("The variable is read on Linux.");
        using var folder = new TemporaryFolder();
        foreach (var library in Directory.GetFiles(NativeLibtorch.LibtorchFolder!, "*.so*"))
            File.CreateSymbolicLink(folder[Path.GetFileName(library)], library);
        var lines = Lines([new(NativeLibtorch.FolderVariable, folder.Path)], "guest");
        Assert.Contains("OMP_WAIT_POLICY: unset -> unset", lines);
    }

    private static string[] Lines(params string[] arguments) => Lines([], arguments);

    private static string[] Lines(KeyValuePair<string, string>[] variables, params string[] arguments)
    {
        using var process = Process.Start(Starting(variables, arguments))!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return output.Split('\n');
    }

    private static ProcessStartInfo Starting(KeyValuePair<string, string>[] variables, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "JepaSharp.Faults.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] said = ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"];
        foreach (var name in said) start.Environment.Remove(name);
        foreach (var (name, value) in variables) start.Environment[name] = value;
        return start;
    }
}
