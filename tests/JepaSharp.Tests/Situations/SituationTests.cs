using System.Diagnostics;
using System.Text;

namespace JepaSharp.Tests.Situations;

/// <summary>Runs a table of situations on the built command, as a process of its own. A table derives from this, and runs in the lane of the
/// commands.</summary>
public abstract class SituationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Runs one situation and holds what came out against its row.</summary>
    protected static void Run(Situation situation)
    {
        if (!File.Exists("/bin/sh")) Assert.Skip("There is no shell here.");
        using var folder = new TemporaryFolder();
        situation.Build?.Invoke(folder.Path);
        var (code, said) = Execute(situation.Command, folder.Path);
        Assert.True(situation.Code == code, $"exit code {code} instead of {situation.Code}: {said}");
        foreach (var piece in situation.Says)
            Assert.Contains(piece.Replace("DIR", folder.Path, StringComparison.Ordinal), said, StringComparison.Ordinal);
        foreach (var piece in situation.Never)
            Assert.DoesNotContain(piece.Replace("DIR", folder.Path, StringComparison.Ordinal), said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal); // a stack trace
        Assert.DoesNotContain("internal error", said, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", said, StringComparison.Ordinal);
        situation.Check?.Invoke(folder.Path, said);
    }

    /// <summary>Runs a shell line in a folder.</summary>
    /// <returns>Its exit code, and what it wrote: standard output, then standard error; bytes that are no UTF-8 are replaced.</returns>
    protected static (int Code, string Said) Execute(string line, string folder)
    {
        using var bin = new TemporaryFolder();
        var command = bin["jepa"];
        File.WriteAllText(command, $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "jepa.dll")}' \"$@\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(command, (UnixFileMode)0b111_101_101);
        var start = new ProcessStartInfo("/bin/sh", ["-c", line])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["PATH"] = bin.Path + ":" + Environment.GetEnvironmentVariable("PATH");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"'{line}' did not end within {Patience.TotalMinutes} minutes.");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult() + error.GetAwaiter().GetResult());
    }

    /// <summary>The names of a table's rows, as xunit wants them.</summary>
    protected static TheoryData<string> NamesOf(IEnumerable<Situation> situations) => [.. situations.Select(s => s.Name)];
}
