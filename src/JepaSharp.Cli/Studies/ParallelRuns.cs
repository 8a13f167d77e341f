using System.Diagnostics;
using System.Globalization;
using JepaSharp.Cli.Display;
using JepaSharp.Studies;

namespace JepaSharp.Cli.Studies;

/// <summary>Makes the runs of a study several at a time, each in a process of its own with its share of the cores.</summary>
/// <remarks>A process goes on as long as its standard input is open: it stops with a checkpoint when this one ends, however that ends.</remarks>
internal sealed class ParallelRuns(StudyRunner runner, int parallel, string study, string? data, string? device, bool again)
{
    private readonly Lock _gate = new();

    /// <summary>Makes them; one that fails does not keep the others from being made.</summary>
    /// <inheritdoc cref="TurnedRuns.Make"/>
    public IReadOnlyList<string> Make(IReadOnlyList<PlannedRun> missing, Terminal terminal, StopSignals stop)
    {
        var (failures, waiting) = (new List<string>(), new Queue<PlannedRun>(missing));
        using var work = stop.WaitForWork(); // the processes end in checkpoints
        var workers = Enumerable.Range(0, Math.Min(parallel, missing.Count)).Select(_ => new Thread(() =>
        {
            while (!stop.Token.IsCancellationRequested && Next(waiting) is { } run)
            {
                var (code, last) = Execute(run, terminal, stop);
                if (code != ExitCode.Done && !stop.Token.IsCancellationRequested)
                    lock (_gate) failures.Add($"{run.Key}: {last}");
            }
        })
        { IsBackground = true, Name = "runs" }).ToList();
        foreach (var worker in workers) worker.Start();
        foreach (var worker in workers) worker.Join();
        runner.Refresh();
        return failures;
    }

    private PlannedRun? Next(Queue<PlannedRun> waiting)
    {
        lock (_gate) return waiting.TryDequeue(out var run) ? run : null;
    }

    /// <summary>Makes one run in a process.</summary>
    /// <returns>Its exit code, and the last line that it said.</returns>
    private (int Code, string Last) Execute(PlannedRun run, Terminal terminal, StopSignals stop)
    {
        var start = Command();
        string[] words = ["compare", study, "--out", runner.Folder, "--only", run.Key, "--worker"];
        foreach (var word in words) start.ArgumentList.Add(word);
        if (data is not null) Add(start, "--data", Path.GetFullPath(data));
        if (device is not null) Add(start, "--device", device);
        if (again) start.ArgumentList.Add("--again");
        var cores = Math.Max(1, Environment.ProcessorCount / parallel).ToString(CultureInfo.InvariantCulture);
        foreach (var variable in (string[])["DOTNET_PROCESSOR_COUNT", "OMP_NUM_THREADS"]) start.Environment[variable] = cores;
        using var process = Process.Start(start)!;
        using var ended = stop.Token.Register(process.StandardInput.Close);
        var last = "";
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, said) =>
        {
            if (string.IsNullOrWhiteSpace(said.Data)) return;
            lock (_gate)
            {
                last = said.Data;
                terminal.Error.WriteLine($"[{run.Key}] {said.Data}");
            }
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return (process.ExitCode, last);
    }

    private static void Add(ProcessStartInfo start, string option, string value)
    {
        start.ArgumentList.Add(option);
        start.ArgumentList.Add(value);
    }

    /// <summary>This program again: the file that is running, or, inside another host, the command's own file with .NET.</summary>
    private static ProcessStartInfo Command()
    {
        var assembly = typeof(ParallelRuns).Assembly.Location;
        var own = Environment.ProcessPath;
        var isOwn = own is not null && Path.GetFileNameWithoutExtension(own) == Path.GetFileNameWithoutExtension(assembly);
        var start = new ProcessStartInfo(isOwn ? own! : DotnetPath(own))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (!isOwn) start.ArgumentList.Add(assembly);
        return start;
    }

    private static string DotnetPath(string? own) => own is not null && Path.GetFileNameWithoutExtension(own) == "dotnet" ? own : "dotnet";
}
