using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;

namespace JepaSharp.Cli;

/// <summary>What may stand next in a line that is being typed, and the scripts by which shells ask for it.</summary>
/// <remarks>A shell asks with System.CommandLine's directive: <c>jepa "[suggest:POSITION]" "jepa pretrain --d"</c>.</remarks>
internal static partial class Completion
{
    /// <summary>Shells that there is a script for.</summary>
    public static IReadOnlyList<string> Shells { get; } = ["bash", "zsh", "fish", "pwsh"];

    /// <summary>Answers a shell that asks: a word a line.</summary>
    /// <returns>Whether the arguments were such a question.</returns>
    public static bool Answer(RootCommand root, IReadOnlyList<string> arguments, TextWriter output)
    {
        if (arguments.Count is 0 or > 2 || Question().Match(arguments[0]) is not { Success: true } question) return false;
        var line = arguments.Count == 2 ? arguments[1] : "";
        var at = int.TryParse(question.Groups["at"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? Math.Min(position, line.Length) : line.Length;
        foreach (var word in Of(root, line[..at])) output.WriteLine(word);
        return true;
    }

    /// <summary>Words that may stand at the end of a line: those that begin as its last word does.</summary>
    /// <param name="root">The command.</param>
    /// <param name="line">With the command's own name first.</param>
    internal static IReadOnlyList<string> Of(RootCommand root, string line)
    {
        var end = line.IndexOf(' ');
        if (end < 0) return [];
        var typed = line[end..].TrimStart();
        var begun = typed[(typed.LastIndexOf(' ') + 1)..];
        return
        [
            .. root.Parse(typed).GetCompletions(typed.Length).Select(item => item.InsertText ?? item.Label)
                .Where(word => word.StartsWith(begun, StringComparison.Ordinal) && !ShortHelp.Contains(word)).Distinct()
                .Order(StringComparer.Ordinal),
        ];
    }

    private static readonly string[] ShortHelp = ["-?", "/?", "/h", "-h"];

    /// <summary>A shell's script, to be run when it starts.</summary>
    /// <param name="shell">One of <see cref="Shells"/>.</param>
    public static string ScriptFor(string shell) => shell switch
    {
        "bash" => Bash,
        "zsh" => Zsh,
        "fish" => Fish,
        _ => PowerShell,
    };

    [GeneratedRegex(@"^\[suggest(:(?<at>[0-9]+))?\]$", RegexOptions.ExplicitCapture)]
    private static partial Regex Question();

    private const string Bash = """
        # jepa: completion for bash. In ~/.bashrc: source <(jepa completion bash)
        _jepa() {
          local word="${COMP_WORDS[COMP_CWORD]}" IFS=$'\n'
          COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "$word"))
        }
        complete -o default -F _jepa jepa
        """;

    private const string Zsh = """
        # jepa: completion for zsh. In ~/.zshrc, after compinit: source <(jepa completion zsh)
        _jepa() {
          local -a found
          found=("${(@f)$("${words[1]}" "[suggest:${#LBUFFER}]" "$LBUFFER" 2>/dev/null)}")
          found=(${found:#})
          if (( ${#found} )); then compadd -- "${found[@]}"; else _files; fi
        }
        compdef _jepa jepa
        """;

    private const string Fish = """
        # jepa: completion for fish. jepa completion fish > ~/.config/fish/completions/jepa.fish
        function __jepa_complete
          set -l line (commandline -cp)
          jepa "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c jepa -a '(__jepa_complete)'
        """;

    private const string PowerShell = """
        # jepa: completion for PowerShell. In $PROFILE: jepa completion pwsh | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName jepa -ScriptBlock {
          param($word, $tree, $position)
          jepa "[suggest:$position]" "$tree" 2>$null | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
          }
        }
        """;
}
