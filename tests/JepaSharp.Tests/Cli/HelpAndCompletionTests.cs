using System.CommandLine;
using System.Diagnostics;
using JepaSharp.Cli;
using JepaSharp.Cli.Display;

namespace JepaSharp.Tests.Cli;

/// <summary>What the command says of itself: examples, first words, words that may come next.</summary>
public sealed class HelpAndCompletionTests
{
    private readonly StringWriter _out = new(), _error = new();
    private readonly StopSignals _stop = new(_ => { });

    public static TheoryData<string> Verbs => [.. AllVerbs(Root()).Select(HelpPage.NameOf)];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Help_OfEveryVerb_EndsWithAnExampleThatIsUnderstood(string verb)
    {
        Assert.Equal(0, Run([.. verb.Split(' '), "--help"]));
        var examples = VerbExamples.Of(verb);
        Assert.NotEmpty(examples);
        foreach (var example in examples)
        {
            Assert.Contains("\n  " + example + "\n", _out.ToString(), StringComparison.Ordinal);
            var line = example.Replace("source <(", "", StringComparison.Ordinal).Split([')', '>'])[0].Trim();
            var words = line.Split(' ')[1..];
            Assert.Equal("jepa", line.Split(' ')[0]);
            var parsed = Root().Parse(words);
            Assert.True(parsed.Errors.Count == 0, $"{example}: {string.Join("; ", parsed.Errors)}");
            Assert.Equal(verb.Split(' ')[0], words[0]);
        }
    }

    [Fact]
    public void NoArguments_SayWhatToDoFirst()
    {
        Assert.Equal(0, Run());
        Assert.StartsWith("First steps:", _out.ToString(), StringComparison.Ordinal);
        foreach (var line in VerbExamples.FirstWords.Split('\n').Where(line => line.StartsWith("  jepa ", StringComparison.Ordinal)))
        {
            var words = line.Trim().Split("  ")[0].Split(' ')[1..];
            if (words[0] != "VERB") Assert.Empty(Root().Parse(words).Errors);
        }
    }

    [Theory]
    [InlineData("jepa pre", "pretrain")]
    [InlineData("jepa ", "completion doctor evaluate export pretrain watch")]
    [InlineData("jepa evaluate kn", "knn")]
    [InlineData("jepa pretrain --da", "--data")]
    [InlineData("jepa pretrain --data photos --minu", "--minutes")]
    [InlineData("jepa export --to ", "huggingface onnx safetensors")]
    [InlineData("jepa export --to on", "onnx")]
    [InlineData("jepa completion ", "bash fish pwsh zsh")]
    [InlineData("jepa frobnicate --d", "")]
    [InlineData("", "")]
    public void Words_ThatMayComeNext_AreGivenToTheShell(string line, string expected)
    {
        Assert.Equal(0, Run($"[suggest:{line.Length}]", line));
        var given = _out.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (var word in expected.Split(' ', StringSplitOptions.RemoveEmptyEntries)) Assert.Contains(word, given);
        var begun = line.Split(' ')[^1];
        Assert.All(given, word => Assert.StartsWith(begun, word, StringComparison.Ordinal));
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public void Question_InTheMiddleOfALine_IsAnsweredForThatPlace()
    {
        Assert.Equal(0, Run("[suggest:9]", "jepa pret --data photos"));
        Assert.Equal("pretrain\n", _out.ToString());
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public void Script_OfEveryShell_IsPrinted(string shell)
    {
        Assert.Equal(0, Run("completion", shell));
        Assert.Contains("suggest:", _out.ToString(), StringComparison.Ordinal);
    }

    /// <summary>In bash itself, with the script that is printed: what the tabulator key would give.</summary>
    [Fact]
    public void Bash_WithTheScript_CompletesVerbsOptionsAndFiles()
    {
        if (OperatingSystem.IsWindows() || !File.Exists("/bin/bash"))
        {
            Assert.Skip("needs bash");
            return;
        }

        using var folder = new TemporaryFolder();
        var jepa = folder["jepa"];
        File.WriteAllText(jepa, $"#!/bin/bash\nexec dotnet '{typeof(CommandLine).Assembly.Location}' \"$@\"\n");
        File.SetUnixFileMode(jepa, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        const string Ask = """
            PATH=$PWD:$PATH; source <(jepa completion bash)
            ask() { COMP_LINE="$1"; COMP_POINT=${#1}; read -ra COMP_WORDS <<<"$1"; [[ $1 == *" " ]] && COMP_WORDS+=("")
              COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _jepa; echo "${COMPREPLY[*]}"; }
            ask "jepa pretr"; ask "jepa export --to hug"; complete -p jepa
            """;
        var start = new ProcessStartInfo("/bin/bash", ["--norc", "-c", Ask])
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var bash = Process.Start(start)!;
        var said = bash.StandardOutput.ReadToEnd();
        bash.WaitForExit();
        Assert.Equal("pretrain\nhuggingface\ncomplete -o default -F _jepa jepa\n", said);
    }

    private static RootCommand Root() => CommandLine.Build(new Terminal(TextWriter.Null, TextWriter.Null), new StopSignals(_ => { }));

    private static IEnumerable<Command> AllVerbs(Command command) =>
        command.Subcommands.SelectMany(verb => AllVerbs(verb).Prepend(verb));

    private int Run(params string[] line) => CommandLine.Run(line, new Terminal(_out, _error), _stop);
}
