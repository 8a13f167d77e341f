using System.Diagnostics;
using System.Globalization;
using JepaSharp.Runtime;

namespace JepaSharp.Benchmarks.Steps;

/// <summary>Runs a program of its own, so that its peak memory is its own, and gives its last line.</summary>
internal static class ChildProcess
{
    /// <summary>This program again.</summary>
    /// <param name="arguments">Its verb and options.</param>
    /// <param name="kernels">Whether JepaSharp's own kernels may be used; else everything runs on libtorch's operators.</param>
    public static string Self(string arguments, bool kernels = true) => LastLine(Environment.ProcessPath!, OwnArguments(arguments), kernels);

    /// <summary>This program again, left running; the caller ends it.</summary>
    public static Process Start(string arguments) => Process.Start(new ProcessStartInfo(Environment.ProcessPath!, OwnArguments(arguments)))!;

    /// <summary>A command line, its words apart by spaces. It is told to use every core: some PyTorch packages use one unless told.</summary>
    public static string Command(string command)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return LastLine(words[0], words[1..], kernels: true);
    }

    private static string[] OwnArguments(string arguments)
    {
        var isHost = Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet";
        var words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return isHost ? [Environment.GetCommandLineArgs()[0], .. words] : words;
    }

    private static string LastLine(string program, IReadOnlyList<string> arguments, bool kernels)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true };
        if (!start.Environment.ContainsKey("OMP_NUM_THREADS"))
            start.Environment["OMP_NUM_THREADS"] = Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture);
        if (!kernels) start.Environment[Kernels.KernelSupport.Variable] = "off";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var last = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        return process.ExitCode == 0 && last is not null
            ? last
            : throw new JepaException($"\"{program} {string.Join(' ', arguments)}\" ended with {process.ExitCode} and printed no measurement.");
    }
}
