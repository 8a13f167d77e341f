using System.CommandLine;
using System.Text;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;

namespace JepaSharp.Tests.Cli;

public sealed class StandardStreamTests
{
    private readonly StringWriter _error = new() { NewLine = "\n" };

    [Fact]
    public void Output_ThatFailsUnderWork_IsSaidAtItsEnd()
    {
        Assert.Equal(0, Run(new PrintingVerb(printsItsResult: false), new IOException("No space left on device")));
        Assert.Equal("jepa: Standard output could not be written (No space left on device); the work is done.\n", _error.ToString());
    }

    [Fact]
    public void Output_ThatIsTheResultAndFails_IsAFailure()
    {
        Assert.Equal(1, Run(new PrintingVerb(printsItsResult: true), new IOException("No space left on device")));
        Assert.StartsWith("jepa: Standard output could not be written (No space left on device): ", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Output_WhoseReaderHasSeenEnough_IsNoFailure()
    {
        Assert.Equal(0, Run(new PrintingVerb(printsItsResult: true), new IOException("Broken pipe", 32)));
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public void Messages_ThatCannotBeWritten_EndNothing()
    {
        using var stop = new StopSignals(_ => { });
        var output = new StringWriter();
        var terminal = new Terminal(output, new FailingWriter(new UnauthorizedAccessException("Bad file descriptor")), errorIsTerminal: true);
        Assert.Equal(0, CommandLine.Run(["print"], terminal, stop, [new PrintingVerb(printsItsResult: true)]));
        Assert.Equal(2, CommandLine.Run(["prnt"], terminal, stop, [new PrintingVerb(printsItsResult: true)]));
        Assert.Contains("result", output.ToString(), StringComparison.Ordinal);
    }

    private int Run(Verb verb, Exception failure)
    {
        using var stop = new StopSignals(_ => { });
        return CommandLine.Run([verb.Name], new Terminal(new FailingWriter(failure), _error), stop, [verb]);
    }

    private sealed class PrintingVerb(bool printsItsResult) : Verb("print", "Prints.")
    {
        public override bool PrintsItsResult(ParseResult arguments) => printsItsResult;

        public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
        {
            if (terminal.ErrorIsTerminal) terminal.Redraw("working");
            terminal.Out.WriteLine("result");
            return 0;
        }
    }

    private sealed class FailingWriter(Exception failure) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw failure;

        public override void Flush() => throw failure;
    }
}
