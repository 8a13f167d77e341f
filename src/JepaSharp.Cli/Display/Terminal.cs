using Spectre.Console;

namespace JepaSharp.Cli.Display;

/// <summary>Where the command writes: results to <see cref="Out"/>, everything said on the way to <see cref="Error"/>.</summary>
internal sealed class Terminal
{
    private readonly Func<int> _width;

    /// <param name="output">For results.</param>
    /// <param name="error">For progress and messages.</param>
    /// <param name="outIsTerminal">Whether a person looks at the results as they come, so that borders and colour help.</param>
    /// <param name="errorIsTerminal">Whether a person looks at the progress, so that one line can be redrawn.</param>
    /// <param name="width">Columns of the terminal.</param>
    public Terminal(TextWriter output, TextWriter error, bool outIsTerminal = false, bool errorIsTerminal = false, Func<int>? width = null)
    {
        (Out, Error, OutIsTerminal, ErrorIsTerminal, _width) = (output, error, outIsTerminal, errorIsTerminal, width ?? (() => 80));
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    public bool OutIsTerminal { get; }

    public bool ErrorIsTerminal { get; }

    /// <summary>Columns now; a window can change.</summary>
    public int Width => Math.Max(_width(), 20);

    /// <summary>The process's own streams.</summary>
    public static Terminal OfProcess()
    {
        // A terminal that cannot move its cursor, and a build service, get plain lines.
        var capable = Environment.GetEnvironmentVariable("TERM") != "dumb" && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));
        return new Terminal(Console.Out, Console.Error, capable && !Console.IsOutputRedirected, capable && !Console.IsErrorRedirected, ConsoleWidth);
    }

    /// <summary>Spectre's view of <see cref="Out"/>, for tables.</summary>
    public IAnsiConsole Pretty() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(Out),
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
