using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Verbs;
using JepaSharp.Runtime;

namespace JepaSharp.Cli;

/// <summary>The command <c>jepa</c>: its verbs, and what happens to a line of arguments.</summary>
internal static class CommandLine
{
    /// <summary>Every verb, in the order of the help page.</summary>
    private static IEnumerable<Verb> Verbs() =>
        [new PretrainVerb(), new EvaluateVerb(), new ReportVerb(), new EmbedVerb(), new ExportVerb(), new InspectVerb(), new MasksVerb(), new PackVerb(), new ScenesVerb(), new DoctorVerb()];

    /// <summary>Parses and runs.</summary>
    /// <returns>0 done, 1 failed, 2 wrong usage, 129, 130 or 143 stopped by a signal.</returns>
    public static int Run(IReadOnlyList<string> arguments, Terminal terminal, StopSignals stop) => Run(arguments, terminal, stop, Verbs());

    internal static int Run(IReadOnlyList<string> arguments, Terminal terminal, StopSignals stop, IEnumerable<Verb> verbs)
    {
        terminal.OutIsTheResult = true; // of --help and --version
        stop.Farewell = () => terminal.Error.WriteLine("jepa: Stopped.");
        try
        {
            var parsed = Build(terminal, stop, verbs).Parse(HomeFolders.In(arguments), new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Action is not HelpAction && UsageMistake.IsIn(parsed)) return UsageMistake.Report(parsed, terminal.Error);
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = terminal.Out,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null, // signals are ours: StopSignals
            });
        }
#pragma warning disable CA1031 // the outermost frame: nothing may get past it as a stack trace
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Failure.Report(e, terminal.Error, stop);
        }
    }

    private static int Run(Verb verb, ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        terminal.OutIsTheResult = verb.PrintsItsResult(arguments);
        if (terminal is { OutIsTheResult: true, OutIsClosed: true }) throw new JepaException(Failure.OutputClosed);
        ProcessLimits.Require();
        NativeLibtorch.Load();
        var code = verb.Run(arguments, terminal, stop);
        if (terminal.OutFailure is { } failure && code == ExitCode.Done)
            terminal.Error.WriteLine($"jepa: {Failure.OfOutput(failure)}; {verb.Finished}.");
        return code;
    }

    private static RootCommand Build(Terminal terminal, StopSignals stop, IEnumerable<Verb> verbs)
    {
        var root = new RootCommand("JepaSharp: I-JEPA for .NET. Pretrains a Vision Transformer on unlabelled images, and says whether what it learned is any good.");
        root.SetAction(_ => root.Parse("--help").Invoke(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error }));
        root.Options.OfType<VersionOption>().Single().Action = new PrintVersion();
        foreach (var verb in verbs)
        {
            foreach (var each in verb.Subcommands.OfType<Verb>().Prepend(verb)) each.SetAction(arguments => Run(each, arguments, terminal, stop));
            root.Add(verb);
        }

        return root;
    }

    /// <summary>Prints this program's version, whatever program it runs inside.</summary>
    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var version = typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
            parseResult.InvocationConfiguration.Output.WriteLine("jepa " + version);
            return 0;
        }
    }
}
