using Orchestrator.Api.DockerHosts;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Usage;

namespace Orchestrator.Cli.Commands;

/// <summary>What the replicas on each host use together.</summary>
internal sealed class TopHostsCommand : TopVerb
{
    public TopHostsCommand()
        : base(
            "hosts",
            "Show what the replicas on each host use together, and its share of the host's capacity. Engines do not tell what else runs there.",
            DockerHost.KubeKind,
            DockerHost.Plural,
            namespaced: false) =>
        Aliases.Add("host");

    public override IReadOnlyList<string> Examples => ["orc top hosts", "orc top hosts host1 host2", "orc top hosts -l zone=a --sort-by memory"];

    protected override string UsageKind => "DockerHostUsage";

    protected override async Task<IEnumerable<UsageRow>> RowsAsync(
        ListScope scope, Func<string, bool> isAskedFor, Session session, CancellationToken cancellationToken)
    {
        var hosts = (await ListScope.ReadAllAsync<DockerHost>(session.Api, scope, cancellationToken)).FindAll(host => isAskedFor(host.Metadata.Name));
        return hosts.Count == 0 ? [] : await RowsAsync(hosts, session, cancellationToken);
    }

    /// <summary>Needs the right to list the Replicas of all namespaces.</summary>
    public static async Task<IReadOnlyList<UsageRow>> RowsAsync(IReadOnlyList<DockerHost> hosts, Session session, CancellationToken cancellationToken)
    {
        var names = hosts.Select(host => host.Metadata.Name).ToHashSet();
        var replicas = (await ReplicasAsync(null, session, cancellationToken)).FindAll(replica => replica.Spec.HostName is { } host && names.Contains(host));
        var measured = (await new ReplicaUsages(session).ReadAsync(replicas, hosts, cancellationToken)).ToLookup(replica => replica.Replica.Spec.HostName);
        return [.. hosts.Select(host => UsageRow.Of(host, [.. measured[host.Metadata.Name]]))];
    }
}
