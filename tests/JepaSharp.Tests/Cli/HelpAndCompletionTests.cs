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
        WriteCommand(folder);
        const string Ask = """
            PATH=$PWD:$PATH; source <(jepa completion bash)
            ask() { COMP_LINE="$1"; COMP_POINT=${#1}; read -ra COMP_WORDS <<<"$1"; [[ $1 == *" " ]] && COMP_WORDS+=("")
              COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _jepa; echo "${COMPREPLY[*]}"; }
            ask "jepa pretr"; ask "jepa export --to hug"; complete -p jepa
            """;
        var said = Say(folder, "/bin/bash", "--norc", "-c", Ask);
        Assert.Equal("pretrain\nhuggingface\ncomplete -o default -F _jepa jepa\n", said);
    }

    /// <summary>In fish itself, which tells what it would offer.</summary>
    [Fact]
    public void Fish_WithTheScript_CompletesVerbsOptionsAndFiles()
    {
        if (Shell("fish") is not { } fish)
        {
            Assert.Skip("needs fish");
            return;
        }

        using var folder = new TemporaryFolder();
        WriteCommand(folder);
        File.WriteAllText(folder["photo.jpg"], "");
        const string Ask = """
            set -x PATH $PWD $PATH; jepa completion fish > jepa.fish; source jepa.fish
            complete -C "jepa pretr"; complete -C "jepa export --to hug"
            complete -C "jepa pretrain --data \"a b\" --minu"; complete -C "jepa inspect pho"
            """;
        Assert.Equal("pretrain\nhuggingface\n--minutes\nphoto.jpg\n", Say(folder, fish, "--no-config", "-c", Ask));
    }

    /// <summary>In zsh itself, typed at a terminal of its own: what the line is after the tabulator key.</summary>
    [Fact]
    public void Zsh_WithTheScript_CompletesVerbsOptionsAndFiles()
    {
        if (Shell("zsh") is not { } zsh)
        {
            Assert.Skip("needs zsh");
            return;
        }

        using var folder = new TemporaryFolder();
        WriteCommand(folder);
        File.WriteAllText(folder["photo.jpg"], "");
        const string Ask = """
            zmodload zsh/zpty
            zpty typed zsh -f -i
            await() {
              local part
              for i in {1..600}; do
                while zpty -r -t typed part; do said+=$part; done
                [[ $said == *"$1"* ]] && return 0
                sleep 0.1
              done
              return 1
            }
            ask() {
              said=
              zpty -n -w typed "$1"$'\t'
              if await "$2"; then print -r -- "$2"; else print -r -- "not $2 but ${(q)said}"; fi
              zpty -n -w typed $'\025'
            }
            zpty -w typed "PS1= PATH=$PWD:\$PATH; unsetopt beep; autoload -U compinit; compinit -u -D; source <(jepa completion zsh); print rea''dy"
            await ready
            ask "jepa pretr" "jepa pretrain"
            ask "jepa export --to hug" "jepa export --to huggingface"
            ask 'jepa pretrain --data "a b" --minu' '--minutes'
            ask "jepa inspect pho" "jepa inspect photo.jpg"
            zpty -d typed
            """;
        Assert.Equal(
            "jepa pretrain\njepa export --to huggingface\n--minutes\njepa inspect photo.jpg\n", Say(folder, zsh, "-f", "-c", Ask));
    }

    /// <summary>A shell on the path; null where there is none.</summary>
    private static string? Shell(string name) => OperatingSystem.IsWindows() ? null : (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>The command <c>jepa</c>, as a file in a folder.</summary>
    private static void WriteCommand(TemporaryFolder folder)
    {
        File.WriteAllText(folder["jepa"], $"#!/bin/sh\nexec dotnet '{typeof(CommandLine).Assembly.Location}' \"$@\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder["jepa"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private static string Say(TemporaryFolder folder, string shell, params string[] arguments)
    {
        var start = new ProcessStartInfo(shell, arguments)
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = folder.Path;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        TestContext.Current.TestOutputHelper!.WriteLine(error.GetAwaiter().GetResult());
        return said;
    }

    private static RootCommand Root() => CommandLine.Build(new Terminal(TextWriter.Null, TextWriter.Null), new StopSignals(_ => { }));

    private static IEnumerable<Command> AllVerbs(Command command) =>
        command.Subcommands.SelectMany(verb => AllVerbs(verb).Prepend(verb));

    private int Run(params string[] line) => CommandLine.Run(line, new Terminal(_out, _error), _stop);
}
