using System.CommandLine;
using JepaSharp.Cli.Display;

namespace JepaSharp.Cli;

/// <summary>A verb of the command: <c>jepa NAME</c>. One class a verb, in <c>Verbs/</c>, added to the list in <see cref="CommandLine"/>.</summary>
/// <remarks>
/// A verb declares its options as fields and adds them in its constructor, and its <see cref="Run"/> reads them, calls the library and
/// shows what came of it. It catches nothing: whatever it throws becomes a message and an exit code in <see cref="Failure"/>.
/// Results go to <see cref="Terminal.Out"/>, everything said on the way to <see cref="Terminal.Error"/>.
/// Long work gets <see cref="StopSignals.Token"/>, and a verb that was stopped returns <see cref="StopSignals.ExitCode"/>. One that has something to finish
/// when it is stopped says so beforehand: <see cref="StopSignals.WaitForWork"/>.
/// </remarks>
internal abstract class Verb(string name, string description) : Command(name, description)
{
    /// <summary>Whether what is printed is all that comes of the work. Where it is not, work goes on when standard output cannot be written, and that is said at its end.</summary>
    public virtual bool PrintsItsResult(ParseResult arguments) => false;

    /// <summary>Says that the work is whole, where its last words could not be printed.</summary>
    public virtual string Finished => "the work is done";

    /// <summary>Does the work.</summary>
    /// <returns>The exit code: 0 for done.</returns>
    public abstract int Run(ParseResult arguments, Terminal terminal, StopSignals stop);
}
