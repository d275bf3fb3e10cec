using System.CommandLine;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Usage;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// The hosts with what they have, what of it is given away and what is in use. Not the server's table: its columns cannot count images, nor put
/// bytes into units.
/// </summary>
internal sealed class HostsListCommand : ApiCommand
{
    private readonly Option<string?> _labels = CommonOptions.Selector();

    public HostsListCommand()
        : base("list", "Show the hosts: ready, version, replicas, CPU and memory with what is allocated and in use, images.", namespaced: false)
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

        HostTable.Write(session.Terminal, hosts, await UsageAsync(hosts, session, cancellationToken), session.Time);
        return ExitCodes.Done;
    }

    /// <summary>Who may list hosts may see them, also without the right to see what is on them.</summary>
    private static async Task<IReadOnlyDictionary<string, UsageRow>> UsageAsync(List<DockerHost> hosts, Session session, CancellationToken cancellationToken)
    {
        try
        {
            return (await TopHostsCommand.RowsAsync(hosts, session, cancellationToken)).ToDictionary(row => row.Name);
        }
        catch (ApiException refused)
        {
            session.Terminal.Warn($"what is in use is not known: {refused.Message}");
            return new Dictionary<string, UsageRow>();
        }
    }
}
