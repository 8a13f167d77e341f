using JepaSharp.Cli.Display;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Cli.Ranks;

/// <summary>A verb's work on the processes that a launcher started together, or on this one alone.</summary>
/// <remarks>The first rank speaks for all: whatever keeps another from going on, it says with that rank's name, and all end with one exit
/// code.</remarks>
internal static class RankedWork
{
    /// <summary>Does the work.</summary>
    /// <param name="work">What each rank does, and where it speaks: those beside the first, to nobody. Its exit code.</param>
    /// <param name="terminal">Where the first speaks.</param>
    /// <param name="stop">Signals to this process.</param>
    /// <returns>The exit code of all.</returns>
    public static int Run(Func<Collective, Terminal, int> work, Terminal terminal, StopSignals stop)
    {
        if (Launch.Detect() is not { } launch) return work(Collective.Alone, terminal);
        Collective ranks;
        try
        {
            ranks = MpiCollective.Join(launch);
        }
        catch (JepaException mistake) when (!launch.Speaks)
        {
            return mistake.IsUsage ? ExitCode.WrongUsage : ExitCode.Failed; // the first of this machine says it
        }

        using (ranks) return Together(ranks, work, terminal, stop);
    }

    /// <summary>Does the work on ranks that are there.</summary>
    internal static int Together(Collective ranks, Func<Collective, Terminal, int> work, Terminal terminal, StopSignals stop)
    {
        if (ranks.IsFirst) ranks.Waiting = terminal.Error.WriteLine;
        try
        {
            RankCores.Divide(ranks);
            return ranks.Leave(work(ranks, ranks.IsFirst ? terminal : new Terminal(TextWriter.Null, TextWriter.Null)));
        }
        catch (RankFailedException failure)
        {
            // Where the first is gone, the second speaks; now, since letting go of the ranks may end this process too.
            if (ranks.Rank == (failure is { IsGone: true, Rank: 0 } ? 1 : 0)) return Failure.Report(failure, terminal.Error, stop);
            return failure.IsUsage ? ExitCode.WrongUsage : ExitCode.Failed;
        }
#pragma warning disable CA1031 // whatever it is, the others must hear that they wait for nothing
        catch (Exception e)
#pragma warning restore CA1031
        {
            using var words = new StringWriter();
            var code = Failure.Report(e, words, stop);
            ranks.Fail(Message(words.ToString()), code == ExitCode.WrongUsage);
            if (!ranks.IsFirst) return code;
            terminal.Error.Write(words.ToString());
            return code;
        }
    }

    /// <summary>Refuses several processes where one does all the work.</summary>
    /// <param name="verb">The verb, as it is typed.</param>
    /// <exception cref="JepaException">A launcher started several.</exception>
    public static void RequireOne(string verb)
    {
        if (Launch.Detect() is not { } launch) return;
        if (launch.Speaks)
            throw new JepaException(
                $"{verb} works in one process, and {launch.Launcher} started {launch.Size}. Start it alone; pretrain, embed and evaluate share their "
                    + $"work (or set {Launch.LibraryVariable}=off for processes that are to work alone).", isUsage: true);
        throw new SilencedException();
    }

    // Without the name of the program, which whoever says it puts before.
    private static string Message(string said) =>
        said.StartsWith("jepa: ", StringComparison.Ordinal) ? said["jepa: ".Length..].TrimEnd() : said.TrimEnd();
}

/// <summary>A mistake that another process says.</summary>
internal sealed class SilencedException : Exception;
