using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Ranks;
using JepaSharp.Cli.Verbs;
using JepaSharp.Cli.Verbs.Neighbours;
using JepaSharp.Data.Loading;
using JepaSharp.Runtime;
using JepaSharp.Runtime.Collectives;

namespace JepaSharp.Cli;

/// <summary>The command <c>jepa</c>: its verbs, and what happens to a line of arguments.</summary>
internal static class CommandLine
{
    /// <summary>Every verb, in the order of the help page.</summary>
    private static IEnumerable<Verb> Verbs() =>
        [new PretrainVerb(), new EvaluateVerb(), new CompareVerb(), new ReportVerb(), new WatchVerb(), new FitVerb(), new PredictVerb(),
            new SimilarVerb(), new DuplicatesVerb(), new OutliersVerb(), new MapVerb(), new VisualizeVerb(), new EmbedVerb(), new ExportVerb(),
            new InspectVerb(), new MasksVerb(), new PackVerb(), new ScenesVerb(), new DoctorVerb(), new CompletionVerb()];

    /// <summary>Parses and runs.</summary>
    /// <returns>0 done, 1 failed, 2 wrong usage, 129, 130 or 143 stopped by a signal.</returns>
    public static int Run(IReadOnlyList<string> arguments, Terminal terminal, StopSignals stop) => Run(arguments, terminal, stop, Verbs());

    internal static int Run(IReadOnlyList<string> arguments, Terminal terminal, StopSignals stop, IEnumerable<Verb> verbs)
    {
        terminal.OutIsTheResult = true; // of --help and --version
        stop.Farewell = () => terminal.Error.WriteLine("jepa: Stopped.");
        try
        {
            var root = Build(terminal, stop, verbs);
            if (Completion.Answer(root, arguments, terminal.Out)) return ExitCode.Done;
            var parsed = root.Parse(HomeFolders.In(arguments), new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Action is not HelpPage && UsageMistake.IsIn(parsed)) return UsageMistake.Report(parsed, terminal.Error);
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
        if (!verb.SharesItsWork) RankedWork.RequireOne(NameOf(verb));
        RankDevices.Apply(Launch.Detect());
        NativeLibtorch.Load();
        var code = verb.Run(arguments, terminal, stop);
        if (terminal.OutFailure is { } failure && code == ExitCode.Done)
            terminal.Error.WriteLine($"jepa: {Failure.OfOutput(failure)}; {verb.Finished}.");
        return code;
    }

    /// <summary>The command with all its verbs.</summary>
    internal static RootCommand Build(Terminal terminal, StopSignals stop) => Build(terminal, stop, Verbs());

    private static string NameOf(Verb verb) => "jepa " + string.Join(' ', verb.Parents.OfType<Verb>().Select(v => v.Name).Append(verb.Name));

    private static RootCommand Build(Terminal terminal, StopSignals stop, IEnumerable<Verb> verbs)
    {
        var root = new RootCommand(
            "JepaSharp: I-JEPA for .NET. Pretrains a Vision Transformer on unlabelled images, and says whether what it learned is any good.");
        root.SetAction(_ =>
        {
            foreach (var line in VerbExamples.FirstWords.Split('\n')) terminal.Out.WriteLine(line);
            return root.Parse("--help").Invoke(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error });
        });
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpPage((HelpAction)help.Action!);
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

/// <summary>Checks of options' values that several verbs make.</summary>
internal static class OptionChecks
{
    /// <summary>Refuses numbers below <paramref name="least"/>. What is no number at all, the parser reports itself.</summary>
    public static void RequireAtLeast(this Option option, long least) => option.Validators.Add(result =>
    {
        if (result.Tokens is [var token] && long.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) && value < least)
            result.AddError($"{option.Name} {token.Value}: expected at least {least}.");
    });
}

/// <summary><c>--memory-mb</c>: what decoding images may hold at a time, for verbs that have no configuration with <c>data.memory_mb</c>.</summary>
internal sealed class MemoryOption : Option<int?>
{
    public MemoryOption()
        : base("--memory-mb")
    {
        Description = $"Most that images being decoded and batches hold at a time, in MB; {DecodingBound.DefaultMegabytes} if not given.";
        HelpName = "N";
        this.RequireAtLeast(DecodingBound.LeastMegabytes);
    }

    /// <summary>Sets the process's bound to what was given.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="otherwise">What a configuration says; null for none.</param>
    public void Bound(ParseResult arguments, int? otherwise = null) =>
        DecodingBound.Megabytes = arguments.GetValue(this) ?? otherwise ?? DecodingBound.DefaultMegabytes;
}

/// <summary>A verb of the command: <c>jepa NAME</c>. One class a verb, in <c>Verbs/</c>, added to the list in <see cref="CommandLine"/>.</summary>
/// <remarks>
/// A verb declares its options as fields and adds them in its constructor, and its <see cref="Run"/> reads them, calls the library and
/// shows what came of it. It catches nothing: whatever it throws becomes a message and an exit code in <see cref="Failure"/>.
/// Results go to <see cref="Terminal.Out"/>, everything said on the way to <see cref="Terminal.Error"/>.
/// Long work gets <see cref="StopSignals.Token"/>, and a verb that was stopped returns <see cref="StopSignals.ExitCode"/>. One that has something to
/// finish when it is stopped says so beforehand: <see cref="StopSignals.WaitForWork"/>.
/// </remarks>
internal abstract class Verb(string name, string description) : Command(name, description)
{
    /// <summary>Whether what is printed is all that comes of the work. Where it is not, work goes on when standard output cannot be written, and that
    /// is said at its end.</summary>
    public virtual bool PrintsItsResult(ParseResult arguments) => false;

    /// <summary>Whether several processes that a launcher started share the work; otherwise they are refused.</summary>
    public virtual bool SharesItsWork => false;

    /// <summary>Says that the work is whole, where its last words could not be printed.</summary>
    public virtual string Finished => "the work is done";

    /// <summary>Does the work.</summary>
    /// <returns>The exit code: 0 for done.</returns>
    public abstract int Run(ParseResult arguments, Terminal terminal, StopSignals stop);
}

/// <summary>
/// Does in a command line what the shell leaves undone after an equals sign or in quotes: <c>--out=~/runs/a</c>, <c>--set
/// data.path=~/photos</c>.
/// </summary>
internal static partial class HomeFolders
{
    private const string OptionAndKey = "(?:--?[A-Za-z][A-Za-z-]*=)?(?:[a-z]+\\.[a-z0-9_]+=)?";

    /// <summary>The arguments, with a leading <c>~/</c> made the home folder wherever a path may begin.</summary>
    /// <exception cref="JepaException">One begins with the home of another user, which only the shell knows.</exception>
    public static IReadOnlyList<string> In(IReadOnlyList<string> arguments) => [.. arguments.Select(In)];

    private static string In(string argument)
    {
        if (Own().Match(argument) is { Success: true } own)
        {
            var path = own.Groups["path"].Value;
            return own.Groups["before"].Value + HomePath.Expand(path is "~" ? "~/" : path);
        }

        if (Others().Match(argument) is not { Success: true } other || Path.Exists(other.Groups["path"].Value)) return argument;
        var user = other.Groups["user"].Value;
        throw new JepaException(
            $"{argument}: the shell did not replace {user}, another user's home. Give the whole path (or ./{user} for a folder of that name).",
            isUsage: true);
    }

    [GeneratedRegex($"^(?<before>{OptionAndKey})(?<path>~(?:[/\\\\].*)?)$", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Own();

    [GeneratedRegex($"^{OptionAndKey}(?<path>(?<user>~[a-z_][a-z0-9_-]*)/.*)$", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Others();
}
