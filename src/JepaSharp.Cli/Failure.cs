using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Ranks;
using JepaSharp.Runtime;

namespace JepaSharp.Cli;

/// <summary>Turns whatever a verb threw into one plain message and an exit code.</summary>
internal static class Failure
{
    /// <summary>What is said where nothing can be printed and printing is all there is to do.</summary>
    public const string OutputClosed = "Standard output is closed: there is nowhere to print to.";

    /// <summary>Why standard output could not be written, as the beginning of a sentence.</summary>
    public static string OfOutput(Exception cause) => IsBadDescriptor(cause)
        ? "Standard output is closed"
        : $"Standard output could not be written ({FirstLine(cause.Message).Split(" : '", 2)[0].TrimEnd('.')})";

    /// <summary>Says what went wrong on <paramref name="error"/>.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(Exception exception, TextWriter error, StopSignals stop)
    {
        var cause = Unwrap(exception);
        switch (cause)
        {
            case OperationCanceledException when stop.Token.IsCancellationRequested:
                Say(error, "Stopped.");
                return stop.ExitCode;
            case SilencedException:
                return ExitCode.WrongUsage;
            case JepaException mistake:
                Say(error, mistake.Message);
                return mistake.IsUsage ? ExitCode.WrongUsage : ExitCode.Failed;
            case LibtorchNotLoadedException:
                Say(error, "libtorch does not load. " + cause.Message);
                return ExitCode.Failed;
            case OutputLostException when IsClosedPipe(cause):
                return ExitCode.Done; // whoever read the output has seen enough
            case OutputLostException:
                Say(error, IsBadDescriptor(cause) ? OutputClosed : OfOutput(cause) + ": what it holds is not the whole result.");
                return ExitCode.Failed;
            case IOException or UnauthorizedAccessException:
                Say(error, cause.Message);
                return ExitCode.Failed;
            case OutOfMemoryException:
            case ExternalException when IsLibtorchOutOfMemory(cause.Message):
                const string Smaller = "Out of memory. Use a smaller batch, model or image, or a machine with more memory.";
                Say(error, $"{Smaller} {ProcessLimits.AboutAddressSpace}".TrimEnd());
                return ExitCode.Failed;
            case DllNotFoundException:
                Say(error, $"A native library does not load: {FirstLine(cause.Message)} {ProcessLimits.AboutAddressSpace}".TrimEnd());
                return ExitCode.Failed;
            default:
                Say(error, $"internal error: {FirstLine(cause.Message)} ({cause.GetType().Name}){Logged(exception)}");
                return ExitCode.Failed;
        }
    }

    /// <summary>Says that the program could not even begin, by the plainest means there are.</summary>
    public static int AtTheStart(Exception exception)
    {
        try
        {
            using var error = Console.OpenStandardError();
            var why = $"{Printable.Of(Unwrap(exception).Message)} {ProcessLimits.AboutAddressSpace}".TrimEnd();
            error.Write(Encoding.UTF8.GetBytes($"jepa: The program cannot start: {why}\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OutOfMemoryException or TypeInitializationException)
        {
            // Nobody listens; the exit code still speaks.
        }

        return ExitCode.Failed;
    }

    private static Exception Unwrap(Exception e) => e switch
    {
        AggregateException { InnerExceptions: [var only] } => Unwrap(only),
        TargetInvocationException or TypeInitializationException when e.InnerException is { } inner => Unwrap(inner),
        _ => e,
    };

    // EPIPE on Linux and macOS, ERROR_BROKEN_PIPE and ERROR_NO_DATA on Windows.
    private static bool IsClosedPipe(Exception e) => e.HResult is 32 or unchecked((int)0x8007006D) or unchecked((int)0x800700E8)
        || e.InnerException is { } inner && IsClosedPipe(inner);

    // EBADF, as after "jepa ... >&-"; ERROR_INVALID_HANDLE on Windows.
    private static bool IsBadDescriptor(Exception e) => e.HResult is 9 or unchecked((int)0x80070006)
        || e.InnerException is { } inner && IsBadDescriptor(inner);

    private static bool IsLibtorchOutOfMemory(string message) =>
        message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase) || message.Contains(
            "out of memory", StringComparison.OrdinalIgnoreCase);

    private static string FirstLine(string text) => text.Split('\n', 2)[0].TrimEnd('\r');

    private static string Logged(Exception exception)
    {
        try
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"jepa-error-{DateTime.UtcNow:yyyyMMdd-HHmmss}-{Environment.ProcessId}.log");
            var path = Path.Combine(Path.GetTempPath(), name);
            File.AppendAllText(path, $"{Environment.CommandLine}\n{exception}\n");
            return $". This is a fault of the program, not yours; details are in {path}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ". This is a fault of the program, not yours";
        }
    }

    /// <summary>One line, or a list below its head: what comes after a line feed is set in, so that it cannot be taken for a message of its
    /// own.</summary>
    private static void Say(TextWriter error, string message)
    {
        var (prefix, lines) = ("jepa: ", message.TrimEnd().Split('\n'));
        try
        {
            foreach (var line in lines)
            {
                error.WriteLine((prefix == "  " && line.StartsWith(' ') ? "" : prefix) + line.TrimEnd('\r'));
                prefix = "  ";
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // Nobody listens; the exit code still speaks.
        }
    }
}

/// <summary>What the command tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int HungUp = 129;      // 128 + SIGHUP
    public const int Interrupted = 130; // 128 + SIGINT
    public const int Terminated = 143;  // 128 + SIGTERM
}
