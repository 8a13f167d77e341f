using System.CommandLine;
using JepaSharp.Cli.Display;

namespace JepaSharp.Cli;

/// <summary>A verb of the command: <c>jepa NAME</c>. One class a verb, in <c>Verbs/</c>, added to the list in <see cref="CommandLine"/>.</summary>
/// <remarks>
/// A verb declares its options as fields and adds them in its constructor, and its <see cref="Run"/> reads them, calls the library and
/// shows what came of it. It catches nothing: whatever it throws becomes a message and an exit code in <see cref="Failure"/>.
/// Results go to <see cref="Terminal.Out"/>, everything said on the way to <see cref="Terminal.Error"/>.
/// Long work gets <see cref="StopSignals.Token"/>, and a verb that was stopped returns <see cref="StopSignals.ExitCode"/>.
/// </remarks>
internal abstract class Verb(string name, string description) : Command(name, description)
{
    /// <summary>Does the work.</summary>
    /// <returns>The exit code: 0 for done.</returns>
    public abstract int Run(ParseResult arguments, Terminal terminal, StopSignals stop);
}
