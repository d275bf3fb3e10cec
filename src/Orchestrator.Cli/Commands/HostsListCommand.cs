using System.CommandLine;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>The hosts, as <c>get dockerhosts -o wide</c> shows them.</summary>
internal sealed class HostsListCommand : ApiCommand
{
    private readonly Option<string?> _labels = CommonOptions.Selector();

    public HostsListCommand()
        : base("list", "Show the hosts.", namespaced: false)
    {
        Aliases.Add("ls");
        Options.Add(_labels);
    }

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, DockerHost.KubeKind, cancellationToken);
        var table = new ServerTable(session.Terminal, wide: true, withNamespace: false, withHeadings: true, prefix: "");
        await foreach (var chunk in ListScope.ListAsync(session.Api, new(kind, null, null, line.GetValue(_labels), null), ApiConnection.Table, cancellationToken))
        {
            table.Add(chunk);
        }

        if (table.Rows == 0)
        {
            session.Terminal.Note("No hosts yet. Add one with `orc hosts add NAME --endpoint unix:///var/run/docker.sock`.");
        }

        table.Write();
        return ExitCodes.Done;
    }
}
