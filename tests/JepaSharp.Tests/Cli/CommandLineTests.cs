using System.Collections.Concurrent;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Runtime;

namespace JepaSharp.Tests.Cli;

public sealed class CommandLineTests
{
    private readonly StringWriter _out = new(), _error = new();
    private readonly StopSignals _stop = new(_ => { });

    [Fact]
    public void NoArguments_PrintsTheHelpPage()
    {
        Assert.Equal(0, Run());
        Assert.Contains("doctor", _out.ToString(), StringComparison.Ordinal);
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public void Version_PrintsThisProgramsVersion()
    {
        Assert.Equal(0, Run("--version"));
        Assert.StartsWith("jepa 0.", _out.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("docter", "no verb 'docter'; did you mean 'doctor'?")]
    [InlineData("doctr --json", "no verb 'doctr'; did you mean 'doctor'?")]
    [InlineData("xyzzy", "no verb 'xyzzy'.")]
    [InlineData("--verson", "no option '--verson'; did you mean '--version'?")]
    [InlineData("doctor --jsn", "no option '--jsn'; did you mean '--json'?")]
    [InlineData("doctor --frobnicate", "no option '--frobnicate'.")]
    [InlineData("doctor extra", "does not take 'extra'.")]
    [InlineData("@nowhere.rsp", "no verb '@nowhere.rsp'.")]
    public void Mistyped_IsAnsweredWithTheNearestWordAndExitCode2(string line, string said)
    {
        Assert.Equal(2, Run(line.Split(' ')));
        Assert.Contains(said, _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_out.ToString());
    }

    public static TheoryData<Exception, int, string> Failures => new()
    {
        { new JepaException("wrong asked", isUsage: true), 2, "jepa: wrong asked\n" },
        { new JepaException("went wrong"), 1, "jepa: went wrong\n" },
        { new LibtorchNotLoadedException("libx is missing."), 1, "jepa: libtorch does not load. libx is missing.\n" },
        { new TypeInitializationException("T", new LibtorchNotLoadedException("libx is missing.")), 1,
            "jepa: libtorch does not load. libx is missing.\n" },
        { new AggregateException(new JepaException("inside")), 1, "jepa: inside\n" },
        { new IOException("No space left on device"), 1, "jepa: No space left on device\n" },
        { new UnauthorizedAccessException("Access denied"), 1, "jepa: Access denied\n" },
        { new OutOfMemoryException(), 1, "jepa: Out of memory." },
        { new ExternalException("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 1, "jepa: Out of memory." },
        { new IOException("Broken pipe", 32), 1, "jepa: Broken pipe\n" }, // of a file: that of the output is none
        { new DllNotFoundException("libx\nmore"), 1, "jepa: A native library does not load: libx" },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public void Failure_OfAVerb_IsOnePlainMessageAndItsCode(Exception thrown, int code, string said)
    {
        Assert.Equal(code, Run(new ThrowingVerb(thrown)));
        Assert.StartsWith(said, _error.ToString(), StringComparison.Ordinal);
        Assert.True(_error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length <= 1);
    }

    [Fact]
    public void Failure_ThatIsTheProgramsOwn_NamesALogWithTheTrace()
    {
        Assert.Equal(1, Run(new ThrowingVerb(new InvalidOperationException("surprise\nsecond line"))));
        var said = _error.ToString().TrimEnd();
        Assert.StartsWith("jepa: internal error: surprise (InvalidOperationException)", said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
        var log = said[(said.LastIndexOf(' ') + 1)..];
        Assert.Contains("   at JepaSharp", File.ReadAllText(log), StringComparison.Ordinal);
        File.Delete(log);
    }

    [Theory]
    [InlineData(129)]
    [InlineData(130)]
    [InlineData(143)]
    public void Signal_DuringAVerb_SetsTheExitCode(int code) => Assert.Equal(code, Run(new StoppedVerb(code)));

    [Fact]
    public void Signal_ThatWorkWithNothingToFinishDoesNotObey_LeavesTheProcess()
    {
        using var left = new BlockingCollection<int>();
        using var stop = new StopSignals(left.Add);
        stop.Receive(129);
        Assert.True(left.TryTake(out var code, TimeSpan.FromMinutes(1)));
        Assert.Equal(129, code);
    }

    [Fact]
    public void Signal_WhileThereIsWorkToFinish_WaitsForIt()
    {
        var left = new List<int>();
        using var stop = new StopSignals(left.Add);
        using var work = stop.WaitForWork();
        stop.Receive(143);
        Thread.Sleep(2 * StopSignals.Patience);
        Assert.Empty(left);
        Assert.Throws<OperationCanceledException>(() => stop.WaitForWork());
    }

    [Fact]
    public void Signal_Second_LeavesAtOnceWithTheCodeOfTheFirst()
    {
        var left = new List<int>();
        using var stop = new StopSignals(left.Add);
        stop.Receive(143);
        Assert.True(stop.Token.IsCancellationRequested);
        Assert.Empty(left);
        stop.Receive(130);
        Assert.Equal([143], left);
    }

    [Fact]
    public void Signal_FromTheSystem_AsksForAStop()
    {
        // SIGUSR1 only: the test runner itself listens to the other two.
        if (!File.Exists("/bin/kill")) Assert.Skip("There is no kill program here.");
        using var stop = StopSignals.Register(_ => { });
        using var kill = Process.Start("/bin/kill", ["-USR1", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        Assert.True(stop.Token.WaitHandle.WaitOne(TimeSpan.FromSeconds(10)));
        Assert.Equal(143, stop.ExitCode);
        kill.WaitForExit();
    }

    [Fact]
    public void Doctor_OnThisMachine_MeasuresAndChooses()
    {
        Assert.Equal(0, Run("doctor", "--json"));
        using var json = JsonDocument.Parse(_out.ToString());
        Assert.InRange(json.RootElement.GetProperty("fp32_gflops").GetDouble(), 0.1, 1e7);
        Assert.InRange(json.RootElement.GetProperty("cores").GetInt32(), 1, 1 << 16);
        Assert.InRange(json.RootElement.GetProperty("memory_available_bytes").GetInt64(), 1, json.RootElement.GetProperty("memory_bytes").GetInt64());
        Assert.Contains(json.RootElement.GetProperty("precision").GetString(), (string[])["fp32", "bf16"]);
    }

    private int Run(params string[] arguments) => CommandLine.Run(arguments, new Terminal(_out, _error), _stop);

    private int Run(Verb verb) => CommandLine.Run([verb.Name], new Terminal(_out, _error), _stop, [verb]);

    private sealed class ThrowingVerb(Exception exception) : Verb("throw", "Throws.")
    {
        public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop) => throw exception;
    }

    private sealed class StoppedVerb(int code) : Verb("wait", "Waits for a signal.")
    {
        public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
        {
            stop.Receive(code);
            stop.Token.ThrowIfCancellationRequested();
            return 0;
        }
    }
}
