using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace JepaSharp.Faults;

/// <summary>An <c>mpirun</c> of this machine.</summary>
/// <param name="Name">openmpi or mpich.</param>
/// <param name="Command">Its file.</param>
internal sealed record MpiLauncher(string Name, string Command)
{
    private static readonly string[] Names = ["openmpi", "mpich"];

    /// <summary>Those that are there: Debian names each by its MPI.</summary>
    public static IReadOnlyList<MpiLauncher> All { get; } = OperatingSystem.IsLinux()
        ? [.. from name in Names let path = Find("mpirun." + name) where path is not null select new MpiLauncher(name, path)]
        : [];

    /// <summary>The one of that name; null where it is not installed.</summary>
    public static MpiLauncher? Of(string name) => All.FirstOrDefault(launcher => launcher.Name == name);

    /// <summary>Starts the command <c>jepa</c> on so many ranks.</summary>
    /// <param name="ranks">How many.</param>
    /// <param name="arguments">Of <c>jepa</c>.</param>
    /// <param name="environment">Further variables of every rank.</param>
    public RankedProcess Start(int ranks, IReadOnlyList<string> arguments, params IReadOnlyList<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(Command) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        // More ranks than cores, as root, on whatever cores are free.
        string[] own = Name == "openmpi" ? ["--oversubscribe", "--bind-to", "none"] : [];
        var host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        var program = Path.Combine(AppContext.BaseDirectory, "jepa.dll");
        string[] words = [.. own, "-n", ranks.ToString(CultureInfo.InvariantCulture), host, program, .. arguments];
        foreach (var word in words) start.ArgumentList.Add(word);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        (start.Environment["OMPI_ALLOW_RUN_AS_ROOT"], start.Environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]) = ("1", "1");
        return new RankedProcess(Process.Start(start)!);
    }

    private static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}

/// <summary>A launcher that runs, and its ranks.</summary>
internal sealed class RankedProcess : IDisposable
{
    private readonly Process _launcher;
    private readonly StringBuilder _said = new();

    /// <param name="launcher">Started, its output redirected.</param>
    public RankedProcess(Process launcher)
    {
        _launcher = launcher;
        launcher.StandardInput.Close();
        launcher.ErrorDataReceived += (_, line) => Hear(line.Data);
        launcher.OutputDataReceived += (_, line) => Hear(line.Data);
        launcher.BeginErrorReadLine();
        launcher.BeginOutputReadLine();
    }

    /// <summary>Everything that launcher and ranks said so far.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    /// <summary>Process ids of the ranks in their order; fewer while they start or end.</summary>
    public IReadOnlyList<int> Ranks()
    {
        var found = new SortedDictionary<int, int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var process) || !IsBelow(process)) continue;
            if (RankOf(folder) is { } rank) found.TryAdd(rank, process);
        }

        return [.. found.Values];
    }

    /// <summary>Waits until something was said, or all have ended.</summary>
    public void WaitFor(string text)
    {
        while (!Said.Contains(text, StringComparison.Ordinal) && !_launcher.HasExited) Thread.Sleep(10);
    }

    /// <summary>Waits for the end.</summary>
    /// <param name="most">For so long at most.</param>
    /// <returns>The launcher's exit code; null where it goes on.</returns>
    public int? WaitForExit(TimeSpan most)
    {
        if (!_launcher.WaitForExit(most)) return null;
        _launcher.WaitForExit();
        return _launcher.ExitCode;
    }

    /// <summary>Ends whatever still runs.</summary>
    public void Dispose()
    {
        if (!_launcher.HasExited) _launcher.Kill(entireProcessTree: true);
        _launcher.Dispose();
    }

    private void Hear(string? line)
    {
        lock (_said) _said.AppendLine(line);
    }

    private bool IsBelow(int process)
    {
        for (var (at, depth) = (process, 0); at > 1 && depth < 10; depth++)
        {
            if (at == _launcher.Id) return true;
            at = ParentOf(at);
        }

        return false;
    }

    private static int ParentOf(int process)
    {
        var stat = Read($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1 ? int.Parse(fields[1], CultureInfo.InvariantCulture) : 0;
    }

    private static int? RankOf(string folder)
    {
        foreach (var variable in Read(Path.Combine(folder, "environ")).Split('\0'))
        {
            if (variable.Split('=', 2) is ["OMPI_COMM_WORLD_RANK" or "PMI_RANK", var rank]) return int.Parse(rank, CultureInfo.InvariantCulture);
        }

        return null;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // it has ended
        }
    }
}
