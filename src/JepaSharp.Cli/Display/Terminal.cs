using System.Text;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;
using Spectre.Console;

namespace JepaSharp.Cli.Display;

/// <summary>Where the command writes: results to <see cref="Out"/>, everything said on the way to <see cref="Error"/>.</summary>
internal sealed class Terminal
{
    private const string ToLineStartAndErase = "\r\u001b[K";

    private readonly Func<int> _width;
    private readonly StandardStream _output, _error;

    /// <param name="output">For results.</param>
    /// <param name="error">For progress and messages.</param>
    /// <param name="outIsTerminal">Whether a person looks at the results as they come, so that borders and colour help.</param>
    /// <param name="errorIsTerminal">Whether a person looks at the progress, so that one line can be redrawn.</param>
    /// <param name="width">Columns of the terminal.</param>
    public Terminal(TextWriter output, TextWriter error, bool outIsTerminal = false, bool errorIsTerminal = false, Func<int>? width = null)
    {
        (_output, _error, OutIsTerminal, ErrorIsTerminal, _width) =
            (new StandardStream(output), new StandardStream(error), outIsTerminal, errorIsTerminal, width ?? (() => 80));
        (Out, Error) = (new PrintableWriter(_output), new PrintableWriter(_error));
    }

    /// <summary>For results. A failure to write them is kept in <see cref="OutFailure"/>, or thrown where <see cref="OutIsTheResult"/>.</summary>
    public TextWriter Out { get; }

    /// <summary>For progress and messages. Never fails: work does not end because nobody can be told of it.</summary>
    public TextWriter Error { get; }

    /// <summary>Why standard output could not be written; null if it could.</summary>
    public Exception? OutFailure => _output.Failure;

    /// <summary>Whether standard output was closed from the start.</summary>
    public bool OutIsClosed { get; private init; }

    /// <summary>Whether what is printed is all that comes of the work, so that failing to print it is failing.</summary>
    public bool OutIsTheResult
    {
        get => _output.Throws;
        set => _output.Throws = value;
    }

    public bool OutIsTerminal { get; }

    public bool ErrorIsTerminal { get; }

    /// <summary>Columns now; a window can change.</summary>
    public int Width => Math.Max(_width(), 20);

    /// <summary>Draws a line of progress over the one before, cut to the window.</summary>
    public void Redraw(string line)
    {
        var shown = Printable.Of(line);
        _error.Write(ToLineStartAndErase + shown[..Math.Min(shown.Length, Width - 1)]);
        _error.Flush();
    }

    /// <summary>Takes the drawn line away.</summary>
    public void Erase() => _error.Write(ToLineStartAndErase);

    /// <summary>The process's own streams.</summary>
    public static Terminal OfProcess()
    {
        // A terminal that cannot move its cursor, and a build service, get plain lines.
        // Launchers give their ranks terminals that nobody looks at.
        var capable = Launch.Detect() is null
            && Environment.GetEnvironmentVariable("TERM") != "dumb" && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));
        return new Terminal(Console.Out, Console.Error,
            capable && !Console.IsOutputRedirected && WindowsConsole.ObeysEscapes(WindowsConsole.Output),
            capable && !Console.IsErrorRedirected && WindowsConsole.ObeysEscapes(WindowsConsole.Error),
            ConsoleWidth)
        { OutIsClosed = StandardDescriptors.OutputIsClosed };
    }

    /// <summary>Spectre's view of <see cref="Out"/>, for tables.</summary>
    public IAnsiConsole Pretty() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(_output),
        Ansi = OutIsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        Interactive = InteractionSupport.No,
    });

    private static int ConsoleWidth()
    {
        try
        {
            return Console.BufferWidth is > 0 and var width ? width : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}

/// <summary>Text from elsewhere, names above all, in a form that a terminal shows and does not obey.</summary>
/// <remarks>
/// Escape sequences would move the cursor, colour or retitle the window, line breaks would look like lines of ours, and marks of direction show a
/// name other than it is. Files keep names as they are; only what people read goes through here.
/// </remarks>
internal static class Printable
{
    /// <summary>The text with every control character written out: see <see cref="PrintableName"/>.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="keepLines">Whether line feeds stay.</param>
    public static string Of(string text, bool keepLines = false) =>
        keepLines && text.Contains('\n', StringComparison.Ordinal)
            ? string.Join('\n', text.Split('\n').Select(PrintableName.Of)) : PrintableName.Of(text);
}

/// <summary>Shows how many of so many things are done, on one redrawn line; says nothing where nobody watches.</summary>
internal sealed class CountProgress(Terminal terminal, string doing, int total) : IProgress<int>
{
    private readonly Lock _gate = new();
    private int _most;
    private long _last;

    public void Report(int value)
    {
        if (!terminal.ErrorIsTerminal) return;
        lock (_gate)
        {
            _most = Math.Max(_most, value);
            if (Environment.TickCount64 - _last < 100) return;
            _last = Environment.TickCount64;
            terminal.Redraw($"{doing} {_most:n0} / {total:n0}");
        }
    }

    /// <summary>Takes the line away.</summary>
    public void Finish()
    {
        if (terminal.ErrorIsTerminal) terminal.Erase();
    }
}

/// <summary>Writes lines for people: whatever names they hold, a line stays one line and moves no cursor.</summary>
/// <param name="inner">Where to.</param>
internal sealed class PrintableWriter(TextWriter inner) : TextWriter
{
    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => Write(value.ToString());

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(new string(buffer));

    /// <summary>Writes text of ours, whose line feeds are meant.</summary>
    public override void Write(string? value) => inner.Write(value is null ? null : Printable.Of(value, keepLines: true));

    /// <inheritdoc/>
    public override void WriteLine() => inner.WriteLine();

    /// <summary>Writes one line: a line feed in it came with a name.</summary>
    public override void WriteLine(string? value) => inner.WriteLine(value is null ? null : Printable.Of(value));

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();
}
