using System.CommandLine;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// The hosts with what they have and what of it is given away. Not the server's table: its columns cannot count images, nor put
/// bytes into units.
/// </summary>
internal sealed class HostsListCommand : ApiCommand
{
    private readonly Option<string?> _labels = CommonOptions.Selector();

    public HostsListCommand()
        : base("list", "Show the hosts: ready, version, replicas, CPU and memory with what is allocated, images.", namespaced: false)
    {
        Aliases.Add("ls");
        Options.Add(_labels);
    }

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, DockerHost.KubeKind, cancellationToken);
        var scope = new ListScope(kind, null, null, line.GetValue(_labels), null);
        var hosts = await ListScope.ReadAllAsync<DockerHost>(session.Api, scope, cancellationToken);
        if (hosts.Count == 0)
        {
            session.Terminal.Note("No hosts yet. Add one with `orc hosts add NAME --endpoint unix:///var/run/docker.sock`.");
            return ExitCodes.Done;
        }

        HostTable.Write(session.Terminal, hosts, session.Time);
        return ExitCodes.Done;
    }
}
