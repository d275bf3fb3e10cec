using System.CommandLine;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>Versions of this executable and of the server it talks to. The first is shown whether or not there is a server.</summary>
internal sealed class VersionCommand : ApiCommand
{
    private readonly Option<bool> _clientOnly = new("--client") { Description = "Of this executable only." };

    public VersionCommand()
        : base("version", "Show the versions of this executable and of the server.", namespaced: false) => Options.Add(_clientOnly);

    protected override bool NeedsServer(ParseResult line, Terminal terminal)
    {
        terminal.Out.WriteLine($"Client: {ProductVersion.Text}");
        return !line.GetValue(_clientOnly);
    }

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var version = await session.Api.GetAsync("/version", cancellationToken);
        session.Terminal.Out.WriteLine($"Server: {(string?)version["gitVersion"]} at {session.Api.Where}");
        return ExitCodes.Done;
    }
}
