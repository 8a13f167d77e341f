using System.Runtime.InteropServices;

namespace JepaSharp.Cli;

/// <summary>
/// Ctrl-C, SIGTERM, SIGHUP (the terminal or connection is gone) and SIGUSR1 (which Slurm sends before it pre-empts a job: SIGCONT and SIGTERM, or
/// whatever
/// <c>--signal</c> says): the first asks the work to finish its step and stop. After it, Ctrl-C leaves at once.
/// </summary>
/// <remarks>
/// What is ignored when the process starts stays ignored, as by <c>nohup</c>. Work that has nothing to finish, and does not stop within
/// <see cref="Patience"/>, is left.
/// Only Ctrl-C does: a job manager may send SIGTERM to the same process twice, or SIGUSR1 a minute before SIGTERM, and a checkpoint is being written
/// then.
/// </remarks>
internal sealed partial class StopSignals : IDisposable
{
    /// <summary>How long work that has nothing to finish may take to stop.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.2);

    private static readonly TimeSpan WordsTake = TimeSpan.FromSeconds(0.2);

    private readonly CancellationTokenSource _source = new();
    private readonly Action<int> _leave;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly ManualResetEventSlim _ended = new();
    private bool _isAsked, _hasWork, _isOver; // under the lock of _registrations

    /// <summary>Nothing is registered: signals come through <see cref="Receive"/> alone.</summary>
    /// <param name="leave">Ends the process at once with an exit code.</param>
    internal StopSignals(Action<int> leave) => _leave = leave;

    /// <summary>Listens to the system's signals.</summary>
    /// <param name="leave">Ends the process at once with an exit code; the system's own way if not given.</param>
    public static StopSignals Register(Action<int>? leave = null)
    {
        var stop = new StopSignals(leave ?? LeaveAtOnce);
        var onWindows = OperatingSystem.IsWindows();
        foreach (var signal in SignalsOf(onWindows, OperatingSystem.IsMacOS()))
        {
            stop._registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                stop.Receive(ExitCodeOf(context.Signal));
                if (EndsOnReturn(context.Signal, onWindows)) stop._ended.Wait();
            }));
        }

        return stop;
    }

    /// <summary>What is listened to.</summary>
    /// <remarks>Windows has no signals; .NET calls Ctrl-Break SIGQUIT, a closed console SIGHUP, and the machine's end SIGTERM.</remarks>
    internal static IReadOnlyList<PosixSignal> SignalsOf(bool onWindows, bool onMac) => onWindows
        ? [PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP, PosixSignal.SIGTERM]
        : [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, (PosixSignal)(onMac ? 30 : 10)]; // SIGUSR1

    /// <summary>The exit code that a signal calls for. Ctrl-Break, which only Windows sends here, is a Ctrl-C.</summary>
    internal static int ExitCodeOf(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGINT or PosixSignal.SIGQUIT => Cli.ExitCode.Interrupted,
        PosixSignal.SIGHUP => Cli.ExitCode.HungUp,
        _ => Cli.ExitCode.Terminated,
    };

    /// <summary>Whether the process ends when the handler returns, so that it has to wait for the work; Windows ends it after some seconds at the
    /// latest.</summary>
    internal static bool EndsOnReturn(PosixSignal signal, bool onWindows) => onWindows && (signal is PosixSignal.SIGHUP or PosixSignal.SIGTERM);

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Exit code that the first signal calls for: 130 for Ctrl-C, 129 for SIGHUP, 143 for the others; 130 before any.</summary>
    public int ExitCode { get; private set; } = Cli.ExitCode.Interrupted;

    /// <summary>Last words before work is left that did not stop by itself.</summary>
    public Action? Farewell { get; set; }

    /// <summary>From now on there is something to finish when a stop is asked for: the process is not left before it is.</summary>
    /// <returns>Ends that when disposed.</returns>
    public IDisposable WaitForWork()
    {
        lock (_registrations) _hasWork = true;
        _source.Token.ThrowIfCancellationRequested();
        return new Work(this);
    }

    /// <summary>From now on the end of standard input is a stop as SIGTERM is: for a process that another one started and keeps.</summary>
    public void WhenInputEnds() => new Thread(() =>
    {
        using var input = Console.OpenStandardInput();
        var buffer = new byte[64];
        try
        {
            while (input.Read(buffer) > 0)
            {
            }
        }
        catch (IOException)
        {
            // An input that cannot be read has ended.
        }

        Receive(Cli.ExitCode.Terminated);
    })
    { IsBackground = true, Name = "input" }.Start();

    /// <summary>What a signal does.</summary>
    internal void Receive(int exitCode)
    {
        lock (_registrations)
        {
            if (_isAsked)
            {
                if (exitCode == Cli.ExitCode.Interrupted) _leave(ExitCode);
                return;
            }

            (_isAsked, ExitCode) = (true, exitCode);
            new Thread(LeaveUnlessDone) { IsBackground = true, Name = "stop" }.Start();
        }

        _source.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_registrations) _isOver = true;
        _ended.Set(); // a handler that waits for it would hold up the next line
        foreach (var registration in _registrations) registration.Dispose();
        _source.Dispose();
    }

    private void LeaveUnlessDone()
    {
        Thread.Sleep(Patience);
        lock (_registrations)
        {
            if (_hasWork || _isOver) return;
            _isOver = true;
        }

        // Beside this thread: whoever reads the messages may have stopped reading.
        var farewell = new Thread(() => Farewell?.Invoke()) { IsBackground = true };
        farewell.Start();
        farewell.Join(WordsTake);
        _leave(ExitCode);
    }

    private sealed class Work(StopSignals stop) : IDisposable
    {
        public void Dispose()
        {
            lock (stop._registrations) stop._hasWork = false;
        }
    }

    /// <summary>Without the runtime's and libtorch's farewells, which may wait for threads that compute.</summary>
    private static void LeaveAtOnce(int exitCode)
    {
        if (OperatingSystem.IsWindows()) Environment.Exit(exitCode);
        else ExitNow(exitCode);
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial void ExitNow(int status);
}
