using System.CommandLine;

namespace Orchestrator.Cli.Commands;

/// <summary>Prints the script that makes a shell complete <c>orc</c>; the offers come from this executable itself.</summary>
internal sealed class CompletionCommand : Command, IHasExamples
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        // The line up to the cursor, and where the cursor is in it, go to the [suggest] directive. Words with a slash or an equals
        // sign are one word to us and several to bash: only the last part may be offered.
        ["bash"] = """
            _orc_complete() {
                local line="${COMP_LINE:0:COMP_POINT}" current="${COMP_WORDS[COMP_CWORD]}" offers
                offers="$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "orc ${line#* }" 2>/dev/null)"
                case "$line" in *" "*) ;; *) return ;; esac
                COMPREPLY=()
                local offer
                while IFS= read -r offer; do
                    [[ -n "$offer" && "$offer" == "$current"* ]] && COMPREPLY+=("$offer")
                done <<< "$offers"
            }
            complete -o default -F _orc_complete orc

            """,
        ["zsh"] = """
            #compdef orc
            _orc() {
                local -a offers
                local line="${words[*]}"
                offers=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
                compadd -- ${offers:#}
            }
            compdef _orc orc

            """,
        ["fish"] = """
            function __orc_complete
                set -l line (commandline -cp)
                set -l words (commandline -opc)
                $words[1] "[suggest:"(string length -- $line)"]" $line 2>/dev/null
            end
            complete -c orc -f -a '(__orc_complete)'

            """,
    };

    private readonly Argument<string> _shell = new("SHELL") { Description = "bash, zsh or fish." };

    public CompletionCommand()
        : base("completion", "Print the script that makes a shell complete orc.")
    {
        _shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        Arguments.Add(_shell);
        SetAction(line =>
        {
            line.InvocationConfiguration.Output.Write(Scripts[line.GetValue(_shell)!].ReplaceLineEndings("\n"));
            return ExitCodes.Done;
        });
    }

    public IReadOnlyList<string> Examples =>
    [
        "source <(orc completion bash)",
        "orc completion zsh > \"${fpath[1]}/_orc\"",
        "orc completion fish > ~/.config/fish/completions/orc.fish",
    ];
}
