namespace Orchestrator.Cli.Tests.Commands;

/// <summary>The scripts in the shells they are for, as Tab would call them.</summary>
public sealed class CompletionTests(ServerFixture server)
{
    [Theory]
    [InlineData("orc ap", "apply")]
    [InlineData("orc hosts ", "uncordon")]
    [InlineData("orc get web", "webapps")]
    [InlineData("orc get wa com", "completed-app")]
    [InlineData("orc scale com", "completed-app")]
    [InlineData("orc rollout undo com", "completed-app")]
    [InlineData("orc rollout restart com", "completed-app")]
    [InlineData("orc set image com", "completed-app")]
    [InlineData("orc set ", "resources")]
    [InlineData("orc get wa --out", "--output")]
    [InlineData("orc get wa -o wi", "wide")]
    public async Task Bash_offers_commands_kinds_names_and_options(string line, string offer)
    {
        (await server.OrcAsync(["apply", "-f", "-"], "{apiVersion: orchestrator.dev/v1, kind: WebApp, metadata: {name: completed-app}, spec: {image: x}}")).OrThrow();
        var words = line.Split(' ');
        var script = $"""
            export PATH='{AppContext.BaseDirectory}':$PATH KUBECONFIG='{server.Kubeconfig}'
            source <(orc completion bash)
            COMP_LINE='{line}' COMP_POINT={line.Length} COMP_WORDS=({string.Join(' ', words.Select(word => $"'{word}'"))}) COMP_CWORD={words.Length - 1}
            _orc_complete
            printf '%s\n' "${"{COMPREPLY[@]}"}"
            """;

        var offers = (await Command.RunAsync("bash", ["-c", script], cancellationToken: TestContext.Current.CancellationToken)).OrThrow().Output.Split('\n');

        Assert.Contains(offer, offers);
        Assert.All(offers, one => Assert.StartsWith(one.Length == 0 ? "" : words[^1], one, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _orc_complete orc")]
    [InlineData("zsh", "compdef _orc orc")]
    [InlineData("fish", "complete -c orc")]
    public async Task There_is_a_script_for_each_shell(string shell, string line) => Assert.Contains(
        line, (await Command.RunAsync(ServerFixture.OrcPath, ["completion", shell], cancellationToken: TestContext.Current.CancellationToken)).OrThrow().Output, StringComparison.Ordinal);
}
