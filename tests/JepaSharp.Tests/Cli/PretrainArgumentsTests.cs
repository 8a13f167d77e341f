using System.CommandLine;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;
using JepaSharp.Cli.Verbs;

namespace JepaSharp.Tests.Cli;

public sealed class PretrainArgumentsTests
{
    private readonly StringWriter _error = new();
    private readonly Recorder _verb = new();

    [Fact]
    public void Arguments_None_AreAllUnsaid()
    {
        Assert.Equal(0, Run());
        var unsaid = new PretrainArguments(null, null, null, false, null, null, null, null, null, [], false);
        Assert.Equal(unsaid with { Settings = _verb.Seen!.Settings }, _verb.Seen);
        Assert.Empty(_verb.Seen.Settings);
    }

    [Fact]
    public void Arguments_All_AreRead()
    {
        Assert.Equal(0, Run("my config.yaml", "--data", "a b", "--out=r", "--device", "cuda:1", "--precision", "bf16",
            "--max-steps", "5", "--init", "w", "--set", "optimization.lr=1", "--set", "mask.allow_overlap=true", "-q"));
        var seen = _verb.Seen!;
        Assert.Equal(("my config.yaml", "a b", "r", "cuda:1", "bf16", 5L, "w", true), (
            seen.Config, seen.Data, seen.Out, seen.Device, seen.Precision, seen.MaxSteps, seen.Init, seen.Quiet));
        Assert.Equal(["optimization.lr=1", "mask.allow_overlap=true"], seen.Settings);
    }

    [Fact]
    public void Arguments_Minutes_AreATime()
    {
        Assert.Equal(0, Run("--data", "a", "--minutes", "7.5"));
        Assert.Equal(TimeSpan.FromSeconds(450), _verb.Seen!.Time);
    }

    [Theory]
    [InlineData("--max-steps 0", "--max-steps 0: expected at least 1")]
    [InlineData("--max-steps many", "many")]
    [InlineData("--minutes 0 --data a", "--minutes 0: expected more than 0")]
    [InlineData("--minutes 1e9 --data a", "a month")]
    [InlineData("--minutes 5 a.yaml", "a.yaml says how many")]
    [InlineData("--minutes 5 --resume --out r", "a resumed run has its own")]
    [InlineData("--recipe paper a.yaml", "which is a recipe of its own")]
    [InlineData("--recipe folder --resume --out r", "for a new run")]
    [InlineData("--recipe paper --data a --minutes 3", "--recipe paper has its own")]
    [InlineData("--recipe paper", "give them with --data")]
    [InlineData("--recipe best", "Must be one of: 'folder' 'paper'")]
    [InlineData("--precision fp8", "fp8")]
    [InlineData("--set lr", "expected SECTION.KEY=VALUE")]
    [InlineData("--set", "--set")]
    [InlineData("--resume", "--resume needs --out")]
    [InlineData("--resume --out r --init w", "exclude each other")]
    [InlineData("--dat x", "did you mean '--data'?")]
    [InlineData("--dta=x", "did you mean '--data'?")]
    [InlineData("--data --otu r", "did you mean '--out'?")]
    [InlineData("-z", "-z")]
    [InlineData("a.yaml b.yaml", "does not take 'b.yaml'")]
    [InlineData("--data a --data b", "--data")]
    public void Arguments_Wrong_AreSaidPlainlyWithExitCode2(string line, string said)
    {
        Assert.Equal(2, Run(line.Split(' ')));
        Assert.Contains(said, _error.ToString(), StringComparison.Ordinal);
        Assert.Null(_verb.Seen);
    }

    private int Run(params string[] arguments)
    {
        using var stop = new StopSignals(_ => { });
        return CommandLine.Run(["pretrain", .. arguments], new Terminal(TextWriter.Null, _error), stop, [_verb]);
    }

    private sealed class Recorder : Verb
    {
        private readonly PretrainArguments.Options _options = new();

        public Recorder()
            : base("pretrain", "") => _options.AddTo(this);

        public PretrainArguments? Seen { get; private set; }

        public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
        {
            Seen = _options.Read(arguments);
            return 0;
        }
    }
}
